/** The vocabulary of the Ministry and of the counties that run its product: standard claims beside the eduinfo JSON. */
import type { Profile } from '../profile.ts'
import { readRecord } from './lists.ts'
import { readOpenid2Ids, readPerson } from './person.ts'
import { readSchools } from './schools.ts'

/** Reads both. eduinfo is what the claims call brought under the claim `eduinfo`; without it there is no affiliation. */
export const moeEduinfo: Profile = (sources) => {
  const unread = new Set<string>()
  const eduinfo = readRecord(sources.extra?.eduinfo, () => unread.add('eduinfo'))
  return {
    profile: readPerson(sources),
    ...readSchools(
      {
        main: ['eduinfo/schoolid', eduinfo.schoolid],
        titles: [
          ['eduinfo/titles', eduinfo.titles],
          ['eduinfo/title', eduinfo.title],
        ],
        classes: [['eduinfo/classinfo', eduinfo.classinfo]],
      },
      unread,
    ),
    openid2Ids: readOpenid2Ids(sources),
  }
}
