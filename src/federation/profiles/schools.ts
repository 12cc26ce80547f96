/** Titles and classes, in every shape seen, into one affiliation per school and role. */
import type { Affiliation, ClassInfo, Role, UpstreamIdentity } from '../connector.ts'
import type { Claims } from '../profile.ts'
import { readList } from './lists.ts'
import { schoolCode } from './school-code.ts'
import { asRecord, isBlank, most } from './shape.ts'
import { firstText, text } from './text.ts'
import { byRole, roleOf } from './titles.ts'

/** What was sent, under the name staff are told of it by where it cannot be read. */
export type Sent = readonly [name: string, value: unknown]

export type Schools = {
  /** The main school: also where titles and classes belong that name no school. */
  main: Sent
  mainName?: unknown
  titles: Sent[]
  classes?: Sent[]
  /** Names by school code. */
  names?: Claims
  /** What a person is at a school where no title says it. */
  untitled?: Role
  /** Pupils' titles name the account where the school should stand: theirs are at the main school. */
  pupilsAtMain?: boolean
}

type AtSchool = {
  name?: string
  /** Words whose role is to be told by the words. */
  titles: Set<string>
  /** Words that came with their role. */
  told: Map<Role, string[]>
  classes: ClassInfo[]
}

/** Reads them. The main school comes first; the rest keeps the upstream's order. What is lost is added to `unread`. */
export function readSchools(
  { main, mainName, titles, classes = [], names, untitled, pupilsAtMain = false }: Schools,
  unread = new Set<string>(),
): Pick<UpstreamIdentity, 'affiliations' | 'unread'> {
  const mainCode = schoolCode(main[1])
  if (!mainCode && !isBlank(main[1])) unread.add(main[0])
  const schools = new Map<string, AtSchool>()
  const at = (code: string): AtSchool => {
    const known = schools.get(code) ?? { titles: new Set(), told: new Map(), classes: [] }
    schools.set(code, known)
    return known
  }
  if (mainCode) add(at(mainCode), { words: [] }, text(mainName))
  for (const [name, value] of titles) {
    const lost = () => unread.add(name)
    for (const item of readList(value, lost)) {
      const said = titlesIn(item, lost)
      const account = pupilsAtMain && said.words.some(isPupil)
      const own = account ? undefined : codeIn(item)
      // What was said of a school nobody can tell is not said of the main one.
      const code = own ?? (!account && namesSchool(item) ? undefined : mainCode)
      if (!code || (!own && said.words.length === 0)) lost()
      // A school named without a title is still hers.
      if (code) add(at(code), said, own && text(asRecord(item)?.name))
    }
  }
  for (const [name, value] of classes) {
    const lost = () => unread.add(name)
    for (const item of readList(value, lost)) {
      const known = namesSchool(item) ? undefined : (mainCode ?? whereTaught(schools))
      const code = codeIn(item) ?? known
      const sits = classIn(item, code, lost)
      if (!sits) continue
      at(sits.schoolCode).classes.push(sits)
      add(at(sits.schoolCode), titlesIn(item, lost))
    }
  }
  const affiliations = [...schools].flatMap(([code, found]) =>
    atSchool(code, found, text(names?.[code]) ?? found.name, untitled),
  )
  return {
    affiliations: affiliations.slice(0, most),
    ...(unread.size > 0 && { unread: [...unread] }),
  }
}

type Said = { role?: Role; words: string[] }

function add(school: AtSchool, { role, words }: Said, name?: string): void {
  if (name) school.name ??= name
  if (!role) for (const title of words) school.titles.add(title)
  else school.told.set(role, [...new Set([...(school.told.get(role) ?? []), ...words])])
}

function atSchool(
  schoolCode: string,
  { titles, told, classes }: AtSchool,
  schoolName: string | undefined,
  untitled: Role = 'other',
): Affiliation[] {
  const roles = byRole([...titles].slice(0, most))
  for (const [role, words] of told)
    roles.set(role, [...new Set([...(roles.get(role) ?? []), ...words])].slice(0, most))
  if (roles.size === 0) roles.set(untitled, [])
  const pupil = [...roles.keys()].indexOf('student')
  return [...roles].map(([role, words], index) => ({
    schoolCode,
    ...(schoolName && { schoolName }),
    role,
    titles: words,
    // Classes are a pupil's; who is no pupil keeps them at her first role.
    classes: index === Math.max(pupil, 0) ? classes : [],
  }))
}

const isPupil = (title: string) => roleOf(title) === 'student'

const schoolIn = (item: unknown): unknown[] => {
  const fields = asRecord(item) ?? {}
  return [fields.schoolid, fields.sid, fields.id]
}

const codeIn = (item: unknown): string | undefined => schoolIn(item).map(schoolCode).find(Boolean)

/** It says one, readable or not: what begins otherwise than codes do is an account in its place. */
const namesSchool = (item: unknown): boolean =>
  schoolIn(item).some((said) => /^[0-9A-Z][0-9]{2}/.test(text(said) ?? ''))

/** `教師`, {titles: […]}, {title: […]}, {title: '學生'} and 新北's {role, title, groups: […]} are all in use. */
function titlesIn(item: unknown, lost: () => void): Said {
  const fields = asRecord(item)
  if (!fields) return { words: onlyText([item], lost) }
  const { role: named, titles, title, roles, groups } = fields
  const words = [named, titles, title, roles, groups].flatMap((one) =>
    onlyText(readList(one, lost), lost),
  )
  const role = roleOf(text(named) ?? '')
  return role === 'other' ? { words } : { role, words }
}

function onlyText(items: unknown[], lost: () => void): string[] {
  return items.flatMap((item) => {
    if (typeof item === 'string') return [item]
    lost()
    return []
  })
}

/** Where who names no school sits in class: where she is a pupil, or in the only school she has. */
function whereTaught(schools: Map<string, AtSchool>): string | undefined {
  const all = [...schools]
  const [code] =
    all.find(([, { titles, told }]) => told.has('student') || [...titles].some(isPupil)) ??
    (all.length === 1 ? all[0] : undefined) ??
    []
  return code
}

/** What a class is told by: the Ministry's words and those of Kaohsiung's and Tainan's classStr. */
const classFields = [
  'schoolid',
  'sid',
  'id',
  'year',
  'semester',
  'grade',
  'gradeId',
  'classno',
  'classId',
  'classtitle',
  'classTitle',
  'seatno',
]

/** Undefined when nothing but the school is known: classinfo with empty strings is common. */
function classIn(
  item: unknown,
  schoolCode: string | undefined,
  lost: () => void,
): ClassInfo | undefined {
  const fields = asRecord(item) ?? {}
  const found = {
    year: place(fields.year),
    semester: place(fields.semester),
    grade: place(fields.grade) ?? place(fields.gradeId),
    classNo: place(fields.classno) ?? place(fields.classId),
    classTitle: firstText(fields.classtitle, fields.classTitle),
    seatNo: place(fields.seatno),
  }
  const said = Object.entries(found).filter(([, value]) => value !== undefined)
  if (said.length > 0 && schoolCode) return { schoolCode, ...Object.fromEntries(said) }
  if (said.length > 0 || !classFields.some((name) => name in fields)) lost()
  return undefined
}

/** Zero and negative numbers stand for "not known yet", mostly in August. */
function place(value: unknown): string | undefined {
  const found = text(value)
  return found !== undefined && /^(?:-\d+|0+)$/.test(found) ? undefined : found
}
