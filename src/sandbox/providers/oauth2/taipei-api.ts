/** What Taipei's API says of a person and of a school, in the shapes of tpeduSSO. */
import { fullName, type Person, people, type School } from '../../people.ts'
import { stableUuid } from '../../stable-uuid.ts'

type Json = Record<string, unknown>

/** A school's domain: its name in addresses. */
const domainOf = ({ code }: School) => `s${code}`

const isPupil = ({ schools }: Person) => schools.some(({ titles }) => titles.includes('學生'))
const roleOf = (one: Person) => (isPupil(one) ? '學生' : '教師')

/** A value, or by school where she has several. */
function bySchool<T>({ schools }: Person, tell: (school: School) => T): T | Record<string, T> {
  const [only] = schools
  if (only && schools.length === 1) return tell(only)
  return Object.fromEntries(schools.map((school) => [domainOf(school), tell(school)]))
}

/** `/api/user`. */
export const userOf = (county: string, one: Person): Json => ({
  role: roleOf(one),
  uuid: stableUuid(`${county} ${one.account}`),
  name: fullName(one),
  email: one.email,
  email_login: false,
  mobile: null,
  mobile_login: false,
})

/** `/api/profile`. */
export const profileOf = (one: Person): Json => ({
  role: roleOf(one),
  o: one.schools.length === 1 ? one.schools.map(domainOf)[0] : one.schools.map(domainOf),
  gender: one.gender === 'M' ? '1' : '2',
  birthDate: '19700101',
  organization: bySchool(one, ({ name }) => name),
})

/** `/api/v2/profile`: class and seat of pupils, titles of staff. */
export function fullProfileOf(one: Person): Json {
  const [sits] = one.schools.flatMap(({ classes }) => classes)
  const more = sits
    ? {
        studentId: one.account,
        class: `${sits.grade}${sits.classno}`,
        className: sits.classtitle,
        seat: sits.seatno,
      }
    : { teacherId: one.account, title: bySchool(one, ({ titles }) => titles) }
  return { ...profileOf(one), ...more }
}

/** `/api/school/{o}`: nowhere else is a school's code. */
export function schoolOf(county: string, domain: string): Json | undefined {
  const school = (people[county] ?? [])
    .flatMap(({ schools }) => schools)
    .find((one) => domainOf(one) === domain)
  return school && { o: domain, description: school.name, tpUniformNumbers: [school.code] }
}
