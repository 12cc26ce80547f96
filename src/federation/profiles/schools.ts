/** Titles and classes, in every shape seen, into one affiliation per school and role. */
import type { Affiliation, ClassInfo, Role } from '../connector.ts'
import type { Claims } from '../profile.ts'
import { schoolCode } from './school-code.ts'
import { asList, asRecord, most } from './shape.ts'
import { firstText, text } from './text.ts'
import { byRole } from './titles.ts'

export type Schools = {
  /** The main school: also where titles and classes belong that name no school. */
  main: unknown
  titles: unknown
  classes: unknown
  /** Names by school code. */
  names?: Claims
  /** What a person is at a school where no title says it. */
  untitled?: Role
}

type AtSchool = { titles: Set<string>; classes: ClassInfo[] }

/** Reads them. The main school comes first; the rest keeps the upstream's order. */
export function readSchools({ main, titles, classes, names, untitled }: Schools): Affiliation[] {
  const mainCode = schoolCode(main)
  const schools = new Map<string, AtSchool>()
  const at = (code: string): AtSchool => {
    const known = schools.get(code) ?? { titles: new Set(), classes: [] }
    schools.set(code, known)
    return known
  }
  if (mainCode) at(mainCode)
  for (const item of asList(titles)) {
    const code = codeIn(item) ?? mainCode
    if (code) for (const title of titlesIn(item)) at(code).titles.add(title)
    // A school named without a title is still hers.
    if (code) at(code)
  }
  for (const item of asList(classes)) {
    const code = codeIn(item) ?? mainCode
    const sits = code && classIn(item, code)
    if (!sits) continue
    at(code).classes.push(sits)
    for (const title of titlesIn(item)) at(code).titles.add(title)
  }
  return [...schools]
    .flatMap(([code, found]) => atSchool(code, found, text(names?.[code]), untitled))
    .slice(0, most)
}

function atSchool(
  schoolCode: string,
  { titles, classes }: AtSchool,
  schoolName: string | undefined,
  untitled: Role = 'other',
): Affiliation[] {
  const roles: [Role, string[]][] =
    titles.size > 0 ? [...byRole([...titles].slice(0, most))] : [[untitled, []]]
  const pupil = roles.findIndex(([role]) => role === 'student')
  return roles.map(([role, words], index) => ({
    schoolCode,
    ...(schoolName && { schoolName }),
    role,
    titles: words,
    // Classes are a pupil's; who is no pupil keeps them at her first role.
    classes: index === Math.max(pupil, 0) ? classes : [],
  }))
}

function codeIn(item: unknown): string | undefined {
  const fields = asRecord(item)
  return fields && (schoolCode(fields.schoolid) ?? schoolCode(fields.sid) ?? schoolCode(fields.id))
}

/** `教師`, {titles: […]}, {title: […]} and {title: '學生'} are all in use. */
function titlesIn(item: unknown): string[] {
  const fields = asRecord(item)
  const found = fields ? [...asList(fields.titles), ...asList(fields.title)] : [item]
  return found.map(text).filter((title) => title !== undefined)
}

/** Undefined when nothing but the school is known: classinfo with empty strings is common. */
function classIn(item: unknown, schoolCode: string): ClassInfo | undefined {
  const fields = asRecord(item)
  if (!fields) return undefined
  const found = {
    year: place(fields.year),
    semester: place(fields.semester),
    grade: place(fields.grade) ?? place(fields.gradeId),
    classNo: place(fields.classno) ?? place(fields.classId),
    classTitle: firstText(fields.classtitle, fields.classTitle),
    seatNo: place(fields.seatno),
  }
  const said = Object.entries(found).filter(([, value]) => value !== undefined)
  return said.length > 0 ? { schoolCode, ...Object.fromEntries(said) } : undefined
}

/** Zero and negative numbers stand for "not known yet", mostly in August. */
function place(value: unknown): string | undefined {
  const found = text(value)
  return found !== undefined && /^(?:-\d+|0+)$/.test(found) ? undefined : found
}
