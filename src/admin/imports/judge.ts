/** Some rows, held against the database: what each of them comes to. Changes nothing. */
import { signInName } from '#accounts/local.ts'
import type { AccountRow, Attribute, Tables } from '#store/store.ts'
import type { Column } from './columns.ts'
import type { RowCode, RowProblem } from './problems.ts'
import { warnings } from './problems.ts'
import type { Person, PersonName, ReadRow } from './read-row.ts'
import type { ImportRules } from './rules.ts'

export type Verdict = {
  row: number
  person: Person
  problems: RowProblem[]
} & (
  | { outcome: 'created'; accountId?: never }
  | { outcome: 'updated'; accountId: string; account: AccountRow; changes: Changes }
  | { outcome: 'same' | 'refused'; accountId?: string }
)

/** What changes of an account that exists. */
export type Changes = {
  profile?: AccountRow['profile']
  kind?: string
  status?: 'active' | 'suspended'
  link?: NonNullable<Person['link']>
}

export type Judging = {
  tables: Pick<Tables, 'accounts' | 'bulkPeople'>
  rules: ImportRules
  domain?: string | undefined
  /** Ids of our upstreams: what one of them vouched for is not ours to change. */
  upstreams: { has(id: string): boolean }
  at: number
  /** Accounts that may be changed are held until the transaction ends. */
  holding: boolean
}

/** A verdict on each row, in their order; of several rows about one account the first counts. */
export async function judge(rows: ReadRow[], judging: Judging): Promise<Verdict[]> {
  const good = rows.filter(({ problems, cells }) => cells || !isRefused(problems))
  const known = await lookUp(
    good.map(({ person }) => person),
    judging,
  )
  const met = new Map<string, number>()
  return rows.map((one) => judgeRow(one, known, met, judging))
}

/** What the database knows of the people of some rows. */
type Known = {
  searches: ReadonlyMap<Person, Search>
  accounts: ReadonlyMap<string, AccountRow>
  byLink: ReadonlyMap<string, string>
  /** Ids of the accounts that hold a role of staff. */
  staff: ReadonlySet<string>
  /** Names nobody has shown to be hers. */
  unproven: ReadonlySet<string>
}

async function lookUp(
  people: Person[],
  { tables, rules, domain, holding }: Judging,
): Promise<Known> {
  const { bulkPeople } = tables
  const named = await bulkPeople.holdersOf(people.flatMap((one) => namesOf(one, domain)))
  const linked = await bulkPeople.linkedTo(people.flatMap(({ link }) => (link ? [link] : [])))
  const byName = new Map(named.map((one) => [keyOf(one.type, one.value), one.accountId]))
  const byLink = new Map(linked.map((one) => [keyOf(one.issuer, one.subject), one.accountId]))
  const searches = new Map(
    people.map((person) => [person, find(person, { byName, byLink, domain })]),
  )
  const ids = [...new Set([...searches.values()].flatMap(({ accountId }) => accountId ?? []))]
  const wanted = rules.existing === 'update' ? ids : people.flatMap(({ id }) => id ?? [])
  const accounts = await (holding ? bulkPeople.lock(wanted) : tables.accounts.findMany(wanted))
  return {
    searches,
    accounts: new Map(accounts.map((one) => [one.id, one])),
    byLink,
    staff: await bulkPeople.staffAmong(wanted),
    unproven: new Set(
      named.flatMap(({ type, value, verifiedAt }) => (verifiedAt ? [] : [keyOf(type, value)])),
    ),
  }
}

/** `met`: accounts earlier rows are about, with those rows; this row's is added. */
function judgeRow(
  read: ReadRow,
  { searches, accounts, byLink, staff, unproven }: Known,
  met: Map<string, number>,
  judging: Judging,
): Verdict {
  const { person } = read
  const { row } = person
  const { rules } = judging
  const problems = problemsLeft(read, accounts)
  // Whoever has an account has a way in.
  const told = problems.filter(({ code }) => code !== 'no-way-in')
  const refused = (field: string, code: RowCode, accountId?: string, first?: number): Verdict => ({
    row,
    person,
    outcome: 'refused',
    problems: [...told, first === undefined ? { field, code } : { field, code, row: first }],
    ...(accountId === undefined ? {} : { accountId }),
  })
  const search = searches.get(person)
  if (!search || isRefused(problems)) return { row, person, problems, outcome: 'refused' }
  const { accountId, problem } = search
  if (person.id !== undefined && !accounts.has(person.id)) return refused('id', 'id-unknown')
  if (problem) return refused(problem.field, problem.code, accountId)
  if (accountId === undefined) return { row, person, problems, outcome: 'created' }
  const first = met.get(accountId)
  if (first !== undefined) return refused('row', 'twin', accountId, first)
  met.set(accountId, row)
  const kept = { row, person, problems: told, accountId }
  if (rules.existing === 'refuse') return refused('account', 'taken', accountId)
  if (rules.existing === 'skip') return { ...kept, outcome: 'same' }
  const account = accounts.get(accountId)
  if (!account) return refused('account', 'closed', accountId)
  const { status = account.status } = person
  if (!isGiven(status) && status !== account.status) return refused('status', 'status', accountId)
  const isLinked = person.link && byLink.has(keyOf(person.link.issuer, person.link.subject))
  const changes = changesOf(account, person, judging, isLinked === true)
  // Before what may not be changed: an export holds staff and the closed, too.
  if (Object.keys(changes).length === 0) return { ...kept, outcome: 'same' }
  if (account.status === 'closed') return refused('account', 'closed', accountId)
  if (staff.has(accountId)) return refused('account', 'staff', accountId)
  if (person.link && isUnproven(account, person, unproven)) {
    return refused('account', 'unproven', accountId)
  }
  return { ...kept, outcome: 'updated', account, changes }
}

/**
 * Without those of cells that say what an export says of her: an upstream may have given a telephone number or a name that
 * no file may bring, and nobody changed it.
 */
function problemsLeft(
  { person: { id = '' }, problems, cells }: ReadRow,
  accounts: Known['accounts'],
): RowProblem[] {
  const account = accounts.get(id)
  if (!cells || !account) return problems
  const { name, email, phone_number: phone } = account.profile
  const exported: Partial<Record<string, string | undefined>> = {
    name: name?.value,
    email: email?.value,
    phone: phone?.value,
    kind: account.kind,
  }
  return problems.filter(
    ({ field }) =>
      exported[field] === undefined || exported[field].trim() !== cells[field as Column]?.trim(),
  )
}

/** The others come about otherwise: an exported row says them of who is so already. */
const isGiven = (status: AccountRow['status']): status is 'active' | 'suspended' =>
  status === 'active' || status === 'suspended'

/** Something is wrong with it that keeps it from being imported. */
const isRefused = (problems: readonly RowProblem[]): boolean =>
  problems.some(({ code }) => !warnings.has(code))

const keyOf = (...parts: string[]) => JSON.stringify(parts)

/** Every name that would lead to her: without our domain, and with it. */
function namesOf({ account, email }: Person, domain: string | undefined) {
  const own = account ? spellings(account, domain) : []
  return email ? [...own, email] : own
}

function spellings({ type, value }: PersonName, domain: string | undefined) {
  const full = signInName(value, domain)
  const at = `@${domain}`
  return [
    { type, value },
    ...(type === 'username' && domain ? [{ type: 'email' as const, value: full }] : []),
    ...(type === 'email' && domain && full.endsWith(at)
      ? [{ type: 'username' as const, value: full.slice(0, -at.length) }]
      : []),
  ]
}

/**
 * Somebody registered with this address and has not shown that she reads it. She may be anybody, and a login linked to
 * her account would open it to her.
 */
const isUnproven = ({ profile }: AccountRow, { account }: Person, unproven: ReadonlySet<string>) =>
  account?.type === 'email' &&
  profile.preferred_username?.by !== 'staff' &&
  unproven.has(keyOf(account.type, account.value))

/** Account ids by name and by link, as `keyOf` writes those. */
type Holders = {
  byName: ReadonlyMap<string, string>
  byLink: ReadonlyMap<string, string>
  domain: string | undefined
}
type Search = { accountId?: string; problem?: { field: string; code: RowCode } }

/** Whose row it is: by her account's id, else by its name, else by her link. */
function find({ id, account, email, link }: Person, { byName, byLink, domain }: Holders): Search {
  const ofAccount = account
    ? spellings(account, domain)
        .map(({ type, value }) => byName.get(keyOf(type, value)))
        .find((id) => id !== undefined)
    : undefined
  const ofLink = link && byLink.get(keyOf(link.issuer, link.subject))
  const ofEmail = email && byName.get(keyOf(email.type, email.value))
  const accountId = id ?? ofAccount ?? (account ? undefined : ofLink)
  const problem = (field: string, code: RowCode, whose = accountId): Search => ({
    problem: { field, code },
    ...(whose === undefined ? {} : { accountId: whose }),
  })
  if (id !== undefined && account && ofAccount !== id) return problem('account', 'id-name')
  if (ofAccount !== undefined && ofLink !== undefined && ofAccount !== ofLink)
    return problem('subject', 'two-people')
  if (account && ofAccount === undefined && ofLink !== undefined)
    return problem('subject', 'identity-taken', ofLink)
  if (ofEmail !== undefined && ofEmail !== accountId)
    return problem('email', 'email-taken', ofEmail)
  return accountId === undefined ? {} : { accountId }
}

function changesOf(
  account: AccountRow,
  person: Person,
  { upstreams, at }: Judging,
  isLinked: boolean,
): Changes {
  const { profile, kind, status, link } = person
  const before = account.profile
  const by = 'staff'
  const said: Record<string, Attribute | undefined> = {
    // An exported row may have none.
    name: profile.name === '' ? undefined : { value: profile.name, by, at },
    email: profile.email && { ...profile.email, by, at },
    phone_number: profile.phone === undefined ? undefined : phoneOf(profile.phone, at),
  }
  const changed = Object.entries(said).flatMap(([claim, now]): [string, Attribute][] => {
    const known = before[claim]
    if (now === undefined || (known && upstreams.has(known.by))) return []
    // What was proven of the same value here is not undone by a file that does not say so.
    const same = known?.value === now.value && (known.verified === true || !now.verified)
    return same ? [] : [[claim, now]]
  })
  return {
    ...(changed.length > 0 ? { profile: { ...before, ...Object.fromEntries(changed) } } : {}),
    ...(kind !== undefined && kind !== account.kind ? { kind } : {}),
    ...(status !== undefined && isGiven(status) && status !== account.status ? { status } : {}),
    ...(link && !isLinked ? { link } : {}),
  }
}

/** As staff vouch for it: nobody has shown that it is hers. */
export const phoneOf = (value: string, at: number): Attribute => ({
  value,
  by: 'staff',
  at,
  verified: false,
})
