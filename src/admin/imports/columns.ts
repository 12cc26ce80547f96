/** What a file of people may say of them: one column each, by its name in English or in Chinese. */

/** What one writes of people: the template has these. */
export const written = [
  'account',
  'name',
  'email',
  'email_verified',
  'phone',
  'kind',
  'status',
  'password_hash',
  'password',
  'county',
  'subject',
  'school_code',
  'role',
  'titles',
] as const

/** What an export has beside them: whose row it is, and what is there to be read only. */
const exported = ['id', 'created_at'] as const

export const columns = [...written, ...exported] as const
export type Column = (typeof columns)[number]

/** What else a heading may say: as spreadsheets of counties and schools have it. */
const others = new Map<string, Column>([
  ['帳號', 'account'],
  ['使用者名稱', 'account'],
  ['username', 'account'],
  ['姓名', 'name'],
  ['電子郵件', 'email'],
  ['電子信箱', 'email'],
  ['e-mail', 'email'],
  ['信箱已驗證', 'email_verified'],
  ['電話', 'phone'],
  ['phone_number', 'phone'],
  ['會員類別', 'kind'],
  ['member_type', 'kind'],
  ['狀態', 'status'],
  ['密碼雜湊', 'password_hash'],
  ['密碼', 'password'],
  ['縣市', 'county'],
  ['識別碼', 'subject'],
  ['學校代碼', 'school_code'],
  ['身分', 'role'],
  ['職稱', 'titles'],
])

/** The file's rows, by column: what was written, not what it means. */
export type Cells = Partial<Record<Column, string>>

export type Heading =
  | { kind: 'good'; columns: Column[] }
  | { kind: 'bad'; code: 'column-unknown' | 'column-twice' | 'column-missing'; what: string }

/** The columns a heading names, in its order. */
export function readHeading(heading: readonly string[]): Heading {
  const names = heading.map((one) => one.normalize('NFKC').trim())
  // Spreadsheets leave empty columns behind the last one.
  while (names.length > 0 && names.at(-1) === '') names.pop()
  const found = names.map((name) => columnOf(name))
  const unknown = found.indexOf(undefined)
  if (unknown >= 0) return { kind: 'bad', code: 'column-unknown', what: names[unknown] ?? '' }
  const known = found.flatMap((one) => (one === undefined ? [] : [one]))
  const twice = known.find((one, i) => known.indexOf(one) !== i)
  if (twice) return { kind: 'bad', code: 'column-twice', what: twice }
  const has = (column: Column) => known.includes(column)
  if (!has('account') && !has('subject') && !has('id'))
    return { kind: 'bad', code: 'column-missing', what: 'account' }
  if (!has('name')) return { kind: 'bad', code: 'column-missing', what: 'name' }
  return { kind: 'good', columns: known }
}

function columnOf(name: string): Column | undefined {
  const lower = name.toLowerCase()
  return columns.find((one) => one === lower.replaceAll(' ', '_')) ?? others.get(lower)
}

/** What one can begin with: the heading and two people who do not exist. */
export const example: readonly Cells[] = [
  {
    account: 'wang.ming',
    name: '王小明',
    email: 'wang@example.edu.tw',
    email_verified: 'yes',
    phone: '0912-345-678',
    kind: 'person',
    status: 'active',
  },
  {
    name: '李老師',
    county: 'ntpc',
    subject: 'b7d1f0c2-5c2e-4f6e-9a55-0d6f1c9a3e77',
    school_code: '014569',
    role: 'teacher',
    titles: '教師;設備組長',
  },
]
