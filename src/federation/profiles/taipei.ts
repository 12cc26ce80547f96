/** Taipei's vocabulary: the JSON of /api/user, of /api/profile in both versions, and of /api/school/{o}. */
import type { Profile } from '../profile.ts'
import { readRecord } from './lists.ts'
import { gender, withoutGaps } from './person.ts'
import { schoolCode } from './school-code.ts'
import { readSchools, type Sent } from './schools.ts'
import { asList, asRecord } from './shape.ts'
import { email, firstText, text } from './text.ts'

/** Reads them. Only the school's own record has its code: without that call nobody is anything anywhere. */
export const taipei: Profile = ({ extra = {} }) => {
  const unread = new Set<string>()
  const answer = (call: string) => readRecord(extra[call], () => unread.add(call))
  const [user, person, school] = [answer('user'), answer('profile'), answer('school')]
  const main: Sent = ['school/tpUniformNumbers', asList(school.tpUniformNumbers)[0]]
  const code = schoolCode(main[1])
  const at = text(school.o) ?? text(asList(person.o)[0]) ?? ''
  const here = (value: unknown) => ofSchool(value, at)
  return {
    profile: withoutGaps({
      name: text(user.name),
      email: email(user.email),
      gender: gender(person.gender),
    }),
    ...readSchools(
      {
        main,
        mainName: firstText(school.description, ...here(person.organization)),
        // The first call says a principal's 校長, the second at times no more than 教師.
        titles: code
          ? [
              ['user/role', user.role],
              ['profile/role', person.role],
              ['profile/title', here(person.title).map(nameOf)],
            ]
          : [],
        classes: [['profile/class', code && classOf(person)]],
      },
      unread,
    ),
    openid2Ids: [],
  }
}

/** People of several schools have {zhps: …} where others have the value itself. */
const ofSchool = (value: unknown, school: string): unknown[] => {
  const bySchool = asRecord(value)
  return asList(bySchool && Object.hasOwn(bySchool, school) ? bySchool[school] : value)
}

/** `資訊組長` and {key: 'zhps,dept02,role014', name: '資訊組長'}. */
const nameOf = (title: unknown) => asRecord(title)?.name ?? title

/** Of 601 the first digit is the grade; other codes are kept as they are. */
function classOf({ class: code, className, seat }: Record<string, unknown>) {
  const [, grade, classno] = /^([1-9])(\d{2})$/.exec(text(code) ?? '') ?? []
  return { grade, classno, classtitle: firstText(className, code), seatno: seat }
}
