/** The schema of Taichung's and Penghu's per-user identifiers: http://openid.tc.edu.tw/schema/1.0/… */
import type { Profile } from '../profile.ts'
import { sentIn } from './attributes.ts'
import { readAttributes } from './person.ts'
import { readSchools } from './schools.ts'

const schemas = ['http://openid.tc.edu.tw/schema/1.0/', 'http://openid.phc.edu.tw/schema/1.0/']

export const districtSchema: Profile = (sources) => {
  const sent = sentIn(sources.attributes)
  const own = (name: string) => sent(name, ...schemas.map((schema) => `${schema}${name}`))
  return {
    profile: readAttributes(sources),
    ...readSchools({
      main: own('edusid'),
      mainName: own('schoolname')[1],
      titles: [own('schooltitle'), own('subtitle')],
    }),
    openid2Ids: [],
  }
}
