/** Kaohsiung's own vocabulary: everything is in the ID token, under `kh_…`. */
import type { Profile } from '../profile.ts'
import { readRecord } from './lists.ts'
import { readOpenid2Ids, readPerson, withoutGaps } from './person.ts'
import { readSchools } from './schools.ts'
import { asRecord } from './shape.ts'
import { email, text } from './text.ts'

/** Reads it. The inner shape of kh_titles and kh_classes is not published: every shape seen nearby is taken. */
export const kaohsiung: Profile = (sources) => {
  const { idToken } = sources
  const unread = new Set<string>()
  const own = readRecord(idToken.kh_profile, () => unread.add('kh_profile'))
  const person = readPerson(sources)
  return {
    profile: withoutGaps({
      ...person,
      name: person.name ?? text(own.fullname),
      email: person.email ?? email(own.email),
    }),
    ...readSchools(
      {
        main: ['kh_profile/schoolid', own.schoolid],
        titles: [['kh_titles', idToken.kh_titles]],
        classes: [['kh_classes', idToken.kh_classes]],
        names: asRecord(own.schools),
        // `gender` is sent for pupils only. It is a hint for who has no title, and makes nobody a teacher.
        untitled: text(idToken.gender) ? 'student' : 'other',
      },
      unread,
    ),
    openid2Ids: readOpenid2Ids(sources),
  }
}
