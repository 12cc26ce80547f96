/** The vocabulary of the Ministry and of the counties that run its product: standard claims beside the eduinfo JSON. */
import type { Profile } from '../profile.ts'
import { readOpenid2Ids, readPerson } from './person.ts'
import { readSchools } from './schools.ts'
import { asList, asRecord } from './shape.ts'

/** Reads both. eduinfo is what the claims call brought under the claim `eduinfo`; without it there is no affiliation. */
export const moeEduinfo: Profile = (sources) => {
  const eduinfo = asRecord(sources.extra?.eduinfo) ?? {}
  return {
    profile: readPerson(sources),
    affiliations: readSchools({
      main: eduinfo.schoolid,
      titles: [...asList(eduinfo.titles), ...asList(eduinfo.title)],
      classes: eduinfo.classinfo,
    }),
    openid2Ids: readOpenid2Ids(sources),
  }
}
