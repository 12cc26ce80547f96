/** The schema of Taichung's OpenID 2.0 (http://openid.edu.tw/axschema/…), which ten counties took over. */
import type { Profile } from '../profile.ts'
import { sentIn } from './attributes.ts'
import { readAttributes } from './person.ts'
import { readSchools } from './schools.ts'

export const edu = 'http://openid.edu.tw/axschema/'

export const eduSchema: Profile = (sources) => {
  const sent = sentIn(sources.attributes)
  return {
    profile: readAttributes(sources),
    ...readSchools({
      main: sent('school/id', `${edu}school/id`),
      titles: [sent('school/titleStr', `${edu}school/titleStr`)],
    }),
    openid2Ids: [],
  }
}
