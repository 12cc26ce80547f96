/** Title words into roles. A word not listed here makes nobody a teacher: 退休教師 and 實習教師 are not. */
import type { Role } from '../connector.ts'

const words: Record<Exclude<Role, 'other'>, string[]> = {
  teacher: ['教師', '專任教師', '科任教師', '級任教師', '兼任教師', '代理教師', '代課教師', '導師'],
  staff: ['職員', '職工', '編制人員'],
  student: ['學生'],
  parent: ['家長'],
}

/** Compounds such as 教師兼組長 name a teacher first and her duty after. */
const teacherWithDuty = /^教師兼\p{Script=Han}{1,12}$/u

/** Duties are borne by teachers and staff alike; alone they tell of staff. */
const duty = /^(?:校長|\p{Script=Han}{0,8}(?:主任|組長|管理者|管理員))$/u

/** Whose role gets the duties and words that name none. */
const hosts = ['teacher', 'staff', 'student', 'parent'] as const

function namedRole(title: string): (typeof hosts)[number] | undefined {
  const word = title.normalize('NFKC')
  return teacherWithDuty.test(word) ? 'teacher' : hosts.find((role) => words[role].includes(word))
}

/** The role one word tells of. */
export function roleOf(title: string): Role {
  return namedRole(title) ?? (duty.test(title.normalize('NFKC')) ? 'staff' : 'other')
}

/** The roles a person's titles at one school tell of, each with its raw words in the upstream's order. */
export function byRole(titles: string[]): Map<Role, string[]> {
  const roles = titles.map(roleOf)
  const named = titles.map(namedRole)
  const host =
    hosts.find((role) => named.includes(role)) ?? (roles.includes('staff') ? 'staff' : 'other')
  return Map.groupBy(titles, (title) => namedRole(title) ?? host)
}
