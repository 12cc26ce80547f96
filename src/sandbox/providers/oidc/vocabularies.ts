/** What a pretend county says of a person, in the words its kind of product uses. */
import type { OidcCounty } from '../../counties.ts'
import { fullName, type Person, type School } from '../../people.ts'

/** Claims by scope, and what each place holds. */
export type Vocabulary = {
  scopes: Record<string, string[]>
  idToken: (one: Person) => Record<string, unknown>
  userinfo: (one: Person) => Record<string, unknown>
}

const bySchool = <T>(one: Person, tell: (school: School) => T): Record<string, T> =>
  Object.fromEntries(one.schools.map((school) => [school.code, tell(school)]))

/** The Ministry's county product: names in userinfo, nearly nothing in the ID token. */
const ministry: Vocabulary = {
  scopes: {
    profile: ['name', 'given_name', 'family_name'],
    email: ['email'],
    eduinfo: [],
    educloudroles: [],
  },
  idToken: () => ({}),
  userinfo: (one) => ({
    name: fullName(one),
    given_name: one.givenName,
    family_name: one.familyName,
    email: one.email,
  }),
}

/** Kaohsiung: everything in the ID token; `gender` appears for pupils only, apps use it to tell them apart. */
const kaohsiung: Vocabulary = {
  scopes: {
    profile: ['name', 'gender'],
    email: ['email'],
    kh_profile: ['kh_profile'],
    kh_titles: ['kh_titles'],
    kh_classes: ['kh_classes'],
  },
  idToken: (one) => ({
    name: fullName(one),
    email: one.email,
    ...(one.schools.some((school) => school.classes.length > 0) && { gender: one.gender }),
    kh_profile: {
      schoolid: one.schools[0]?.code,
      fullname: fullName(one),
      email: one.email,
      schools: bySchool(one, (school) => school.name),
    },
    kh_titles: one.schools.map((school) => ({ sid: school.code, titles: school.titles })),
    kh_classes: one.schools.flatMap((school) =>
      school.classes.map((sits) => ({
        sid: school.code,
        title: '學生',
        classTitle: sits.classtitle,
        gradeId: sits.grade,
        classId: sits.classno,
      })),
    ),
  }),
  userinfo: () => ({}),
}

export const vocabularies = { ministry, kaohsiung } satisfies Record<string, Vocabulary>

/** The claims of one person as one county releases them in one place, without `sub`. */
export function claimsOf(county: OidcCounty, one: Person, place: 'idToken' | 'userinfo') {
  const { openid2 } = county
  return {
    ...vocabularies[county.vocabulary][place](one),
    ...(place === 'idToken' && openid2 && { [openid2.claim]: [openid2.identifier(one.account)] }),
  }
}

/** The eduinfo JSON of one person as one county writes it. */
export function eduinfoOf(county: OidcCounty, one: Person): Record<string, unknown> {
  const classes = one.schools.flatMap((school) =>
    school.classes.map(({ seatno, ...sits }) => ({
      ...sits,
      schoolid: school.code,
      ...(county.eduinfo?.seats && { seatno }),
    })),
  )
  return {
    sub: one.account,
    schoolid: one.schools[0]?.code,
    titles: one.schools.map((school) => ({ schoolid: school.code, titles: school.titles })),
    ...(county.eduinfo?.classes === 'null'
      ? { classinfo: null }
      : classes.length > 0 && { classinfo: classes }),
  }
}
