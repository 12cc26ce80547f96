/** One row, read by itself: the person it describes, and what is wrong with it. Reads no database. */
import { readForeignHash } from '#accounts/foreign-hashes.ts'
import { normalName } from '#accounts/local.ts'
import { tidy } from '#enrolment/fields/typed.ts'
import type { Role } from '#federation/connector.ts'
import { schoolCode } from '#federation/profiles/school-code.ts'
import { roleOf } from '#federation/profiles/titles.ts'
import { isMailAddress } from '#lib/mail.ts'
import { mobile, phone } from '#lib/taiwan-numbers.ts'
import type { AccountRow, IdentifierType } from '#store/store.ts'
import type { Column } from './columns.ts'
import type { StoredRow } from './part.ts'
import type { RowCode, RowProblem } from './problems.ts'
import { most as longest } from './rules.ts'
import type { ImportUpstream } from './upstreams.ts'

export type RowRules = {
  /** Kinds of members there are here. */
  kinds: ReadonlySet<string>
  upstreams: ReadonlyMap<string, ImportUpstream>
  /** A name typed without `@` means an address of this domain. */
  domain?: string | undefined
}

type Status = AccountRow['status']

export type PersonName = { type: IdentifierType; value: string; verified: boolean }

export type Person = {
  row: number
  /** Of her account, where the row is of an export. */
  id?: string
  /** What she signs in with, first; then an address somebody verified. */
  account?: PersonName
  email?: PersonName
  profile: { name: string; email?: { value: string; verified: boolean }; phone?: string }
  kind?: string
  /** Of an exported row as it is there: no file makes somebody closed or pending. */
  status?: Status
  /** A hash. */
  secret?: string
  link?: { connector: string; issuer: string; subject: string }
  school?: { code: string; role: Role; titles: string[] }
}

export type ReadRow = {
  person: Person
  problems: RowProblem[]
  /** What stands in an exported row: cells as they were exported are not judged (see judge.ts). */
  cells?: StoredRow['cells']
}

/** A cell's value, or why it has none. */
type Said<T> = { value?: T; code?: RowCode }

const wrong = (code: RowCode) => ({ code })

/** With problems the person is only as far as the row could be read. */
export function readRow(stored: StoredRow, rules: RowRules): ReadRow {
  const { row, cells, twins = {} } = stored
  const problems: RowProblem[] = []
  const complain = (field: Column | 'row', code: RowCode, other?: number) =>
    problems.push(other === undefined ? { field, code } : { field, code, row: other })
  function read<T>(field: Column, reader: (text: string) => Said<T>): T | undefined {
    const text = cells[field]
    if (text === undefined) return undefined
    const { value, code }: Said<T> = unreadable(text) ?? reader(text)
    if (code) complain(field, code)
    return code ? undefined : value
  }

  if (stored.tooMany) complain('row', 'columns-many')
  for (const [field, first] of Object.entries(twins)) complain(field as Column, 'twin', first)
  const id = read('id', readId)
  const isExported = cells.id !== undefined
  const account = read('account', readAccount)
  const name = read('name', readName)
  if (cells.name === undefined && !isExported) complain('name', 'empty')
  if (cells.account === undefined && cells.subject === undefined && !isExported)
    complain('account', 'empty')
  const address = read('email', readAddress)
  const said = read('email_verified', readYesOrNo) ?? false
  const number = read('phone', readPhone)
  const kind = read('kind', (text) => (rules.kinds.has(text) ? { value: text } : wrong('kind')))
  const status = read('status', (text) => readStatus(text, isExported))
  const hash = read('password_hash', readHash)
  if (stored.weak) complain('password', 'password-weak')
  if (cells.password_hash !== undefined && (cells.password ?? stored.secret) !== undefined)
    complain('password', 'password-both')
  // Counties and schools of an exported row are what upstreams said: not a file's to change.
  if (isExported && cells.subject !== undefined) complain('subject', 'id-subject')
  const { link, upstream } = isExported ? {} : readLink(stored, rules, complain)
  const school = isExported ? undefined : readSchool(stored, upstream, { complain, read })

  const isOurs = rules.domain !== undefined && account?.endsWith(`@${rules.domain}`) === true
  const isAccount = address === undefined || address === account
  const mail =
    address ?? (cells.email === undefined && account?.includes('@') ? account : undefined)
  const verified = said || (isOurs && isAccount)
  const secret = hash ?? stored.secret
  const person: Person = {
    row,
    ...(id === undefined ? {} : { id }),
    ...(account === undefined ? {} : { account: nameOf(account, isAccount ? verified : isOurs) }),
    ...(mail !== undefined && mail !== account && said ? { email: nameOf(mail, true) } : {}),
    profile: {
      name: name ?? '',
      ...(mail === undefined ? {} : { email: { value: mail, verified } }),
      ...(number === undefined ? {} : { phone: number }),
    },
    ...(kind === undefined ? {} : { kind }),
    ...(status === undefined ? {} : { status }),
    ...(secret === undefined ? {} : { secret }),
    ...(link ? { link } : {}),
    ...(school ? { school } : {}),
  }
  const withPassword = secret !== undefined || cells.password !== undefined
  const reachable = [person.account, person.email].some(
    (one) => one?.type === 'email' && one.verified,
  )
  if (problems.length === 0 && !withPassword && !link && !reachable) complain('row', 'no-way-in')
  return { person, problems, ...(isExported ? { cells } : {}) }
}

function unreadable(text: string) {
  if (text.length > longest.cellLetters) return wrong('long')
  return text.includes('\ufffd') ? wrong('letters') : undefined
}

const nameOf = (value: string, verified: boolean): PersonName =>
  value.includes('@')
    ? { type: 'email', value, verified }
    : // A name is as good as staff say it is.
      { type: 'username', value, verified: true }

const readId = (text: string): Said<string> =>
  /^[\w-]{1,64}$/.test(text) ? { value: text } : wrong('id-unknown')

/** As for one that is made by hand: see operations/people.ts. */
function readAccount(text: string): Said<string> {
  const value = normalName(text)
  const shaped = /^[^\s@]{1,64}(@[^\s@.]+(\.[^\s@.]+)+)?$/.test(value) && !unseen.test(value)
  if (!shaped || (value.includes('@') && !isMailAddress(value))) return wrong('account-shape')
  return { value }
}

const unseen = /[\p{C}\p{Default_Ignorable_Code_Point}<>"]/u
const longestName = 100

function readName(text: string): Said<string> {
  const value = tidy(text)
  if (value === '') return wrong('empty')
  if ([...value].length > longestName) return wrong('long')
  return /[\p{Co}\p{Cn}<>]/u.test(value) ? wrong('letters') : { value }
}

function readAddress(text: string): Said<string> {
  const value = normalName(text)
  return isMailAddress(value) && /@.+\./.test(value) ? { value } : wrong('email')
}

const yes = new Set(['yes', 'y', 'true', '1', '是'])
const no = new Set(['no', 'n', 'false', '0', '否'])

function readYesOrNo(text: string): Said<boolean> {
  const word = text.normalize('NFKC').toLowerCase()
  if (yes.has(word)) return { value: true }
  return no.has(word) ? { value: false } : wrong('yes-or-no')
}

function readPhone(text: string): Said<string> {
  // Spreadsheets take a number's zero.
  const value = mobile(text) ?? mobile(`0${text}`) ?? phone(text)
  return value === undefined ? wrong('phone') : { value }
}

const statuses = new Map<string, Status>([
  ['active', 'active'],
  ['suspended', 'suspended'],
  ['啟用', 'active'],
  ['停用', 'suspended'],
])
const shownOnly = ['closed', 'pending'] as const

function readStatus(text: string, isExported: boolean): Said<Status> {
  const word = text.toLowerCase()
  const value =
    statuses.get(word) ?? (isExported ? shownOnly.find((one) => one === word) : undefined)
  return value === undefined ? wrong('status') : { value }
}

function readHash(text: string): Said<string> {
  const read = readForeignHash(text)
  return read.kind === 'good' ? { value: read.secret } : wrong(`hash-${read.because}`)
}

type Complain = (field: Column, code: RowCode) => void

function readLink(
  { cells }: StoredRow,
  { upstreams }: RowRules,
  complain: Complain,
): { upstream?: ImportUpstream; link?: NonNullable<Person['link']> } {
  const { county, subject } = cells
  if (county === undefined) {
    if (subject !== undefined) complain('subject', 'subject-alone')
    return {}
  }
  const upstream = upstreams.get(county.toLowerCase())
  if (!upstream) {
    complain('county', 'county')
    return {}
  }
  if (subject === undefined) {
    complain('county', 'county-alone')
    return { upstream }
  }
  const known = upstream.readSubject(subject)
  if (known === undefined) {
    complain('subject', 'subject')
    return { upstream }
  }
  return { upstream, link: { connector: upstream.id, issuer: upstream.issuer, subject: known } }
}

const roles = new Map<string, Role>([
  ['teacher', 'teacher'],
  ['staff', 'staff'],
  ['student', 'student'],
  ['parent', 'parent'],
  ['other', 'other'],
  ['教師', 'teacher'],
  ['老師', 'teacher'],
  ['職員', 'staff'],
  ['學生', 'student'],
  ['家長', 'parent'],
  ['其他', 'other'],
])
const most = { titles: 20, titleLetters: 50 }

function readSchool(
  { cells }: StoredRow,
  upstream: ImportUpstream | undefined,
  {
    complain,
    read,
  }: {
    complain: Complain
    read: <T>(field: Column, reader: (text: string) => Said<T>) => T | undefined
  },
): Person['school'] {
  const code = read('school_code', (text) => {
    const value = schoolCode(text)
    return value === undefined ? wrong('school-code') : { value }
  })
  const titles = read('titles', readTitles) ?? []
  const named = read('role', (text) => {
    const value = roles.get(text.toLowerCase())
    return value === undefined ? wrong('role') : { value }
  })
  if (code === undefined) return undefined
  if (cells.county === undefined) complain('school_code', 'school-alone')
  const prefixes = upstream?.prefixes ?? []
  if (prefixes.length > 0 && !prefixes.some((one) => code.startsWith(one)))
    complain('school_code', 'school-elsewhere')
  const [told = 'other'] = titles.map(roleOf).filter((one) => one !== 'other')
  return { code, role: named ?? told, titles }
}

function readTitles(text: string): Said<string[]> {
  const value = text
    .split(/[;；、|]/)
    .map((one) => tidy(one))
    .filter(Boolean)
  const tooLong = value.some((one) => [...one].length > most.titleLetters)
  return tooLong || value.length > most.titles ? wrong('long') : { value }
}
