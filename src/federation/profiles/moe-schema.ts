/** The Ministry's schema of OpenID 2.0 (http://axschema.edu.tw/…), as Kaohsiung had it. */
import type { Profile } from '../profile.ts'
import { sentIn } from './attributes.ts'
import { readAttributes } from './person.ts'
import { readSchools } from './schools.ts'
import { isBlank } from './shape.ts'

export const moe = 'http://axschema.edu.tw/'

/** Reads it. `isas/roles` says less than `person/titles`, and is read where that is missing. */
export const moeSchema: Profile = (sources) => {
  const sent = sentIn(sources.attributes)
  const titles = sent('person/titles', `${moe}person/titles`)
  return {
    profile: readAttributes(sources),
    ...readSchools({
      main: sent('school/id', `${moe}school/id`),
      titles: isBlank(titles[1]) ? [sent('isas/roles', `${moe}isas/roles`)] : [titles],
      classes: [sent('school/classStr', 'http://axschema.kh.edu.tw/school/classStr')],
    }),
    openid2Ids: [],
  }
}
