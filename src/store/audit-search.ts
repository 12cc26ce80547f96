/** Looks things up in the audit trail. No question reads more than a part of it: a rare one goes on where it stopped. */
import type { Knex } from 'knex'
import { type AuditPlace, type AuditRow, auditColumns, readAuditRow } from './audit.ts'
import { type Row, type Statements, statement } from './statements.ts'

export type AuditFilter = {
  actor?: string
  /** How it begins: `session.` is all of them. */
  action?: string
  target?: string
  outcome?: string
  address?: string
  ref?: string
  /** Seconds since 1970: the first that counts, and the first that does not any more. */
  since?: number
  until?: number
}

export type AuditOrder = 'newest' | 'oldest'

export type AuditPage = {
  rows: AuditRow[]
  /** Where there may be more: the place it came to, which need not be of an event that fits. */
  next?: AuditPlace
}

export type AuditSearch = {
  /** At most `limit` of those after `after` in this order; newest first, if not said. */
  search(
    filter: AuditFilter,
    after: AuditPlace | undefined,
    limit: number,
    order?: AuditOrder,
  ): Promise<AuditPage>
  find(chain: string, seq: number): Promise<AuditRow | undefined>
  /** What the accounts and apps of these ids are called, as far as there are any. */
  names(ids: { accounts: string[]; clients: string[] }): Promise<Map<string, string>>
}

/** Events one question reads at most, beside those it gives. */
const mostRead = 20_000

const find = statement(
  'audit.find',
  `SELECT ${auditColumns.join(', ')} FROM audit_event WHERE chain = ? AND seq = ?`,
)

export function openAuditSearch(knex: Knex, statements: Statements, most = mostRead): AuditSearch {
  // As `compare` sorts, whatever language the database does: what is joined here is in one order.
  const byChain = `chain COLLATE ${knex.client.driverName === 'pg' ? '"C"' : 'BINARY'}`
  // One is the other read backwards: the same indexes serve both.
  const orders = {
    newest: `at DESC, ${byChain}, seq DESC`,
    oldest: `at, ${byChain} DESC, seq`,
  }

  /** One of the ways a question is split into. */
  async function follow({ by, rest }: Way, filter: AuditFilter, place: Asked): Promise<AuditPage> {
    const inOrder = (columns: string[]) =>
      knex('audit_event')
        .select(columns)
        .modify((query) => between(query, byChain, filter, place))
        .where(by)
        .orderByRaw(orders[place.order])
    const read = rest
      ? knex
          .select(auditColumns)
          .from(inOrder(auditColumns).limit(most).as('read'))
          .where(rest)
          .orderByRaw(orders[place.order])
      : inOrder(auditColumns)
    const found = ((await read.limit(place.limit + 1)) as Row[]).map(readAuditRow)
    const rows = found.slice(0, place.limit)
    const last = found.length > place.limit ? rows.at(-1) : undefined
    if (last) return { rows, next: last }
    if (!rest) return { rows }
    const end: Row | undefined = await inOrder(['at', 'chain', 'seq'])
      .offset(most - 1)
      .first()
    return end ? { rows, next: readPlace(end) } : { rows }
  }

  return {
    async search(filter, after, limit, order = 'newest') {
      const ways = waysOf(filter)
      const place = { after, limit, order }
      return join(await Promise.all(ways.map((way) => follow(way, filter, place))), place)
    },
    async find(chain, seq) {
      const [row] = await statements.run(find, [chain, seq])
      return row && readAuditRow(row)
    },
    async names({ accounts, clients }) {
      if (accounts.length + clients.length === 0) return new Map()
      const rows: Row[] = await knex
        .select('id', 'profile as said')
        .from('account')
        .whereIn('id', accounts)
        .unionAll(knex.select('id', 'metadata as said').from('client').whereIn('id', clients))
      return new Map(rows.flatMap(({ id, said }) => nameIn(String(id), String(said))))
    },
  }
}

type Asked = { after: AuditPlace | undefined; limit: number; order: AuditOrder }
type Condition = (query: Knex.QueryBuilder) => void
/** `by` is what an index is for, `rest` is looked for in what is read by it. */
type Way = { by: Condition; rest?: Condition }

const signIn = 'session.sign-in'

/**
 * Sign-ins are most of the trail, and written while somebody waits: what else happened has indexes of its own, by who
 * did it and to what. The conditions stand word for word in those indexes.
 */
const of = {
  signIns: (query: Knex.QueryBuilder) => query.whereRaw(`action = '${signIn}'`),
  others: (query: Knex.QueryBuilder) => query.whereRaw(`action <> '${signIn}'`),
}

function waysOf(filter: AuditFilter): Way[] {
  const { actor, action = '', target, ...others } = filter
  const kinds = [
    ...(signIn.startsWith(action) ? ([of.signIns] as const) : []),
    ...(action.startsWith(signIn) ? [] : ([of.others] as const)),
  ]
  if (actor !== undefined) {
    const rest = restOf({ ...others, action, target })
    return kinds.map((kind) => ({ by: (query) => void kind(query).where({ actor }), ...rest }))
  }
  if (target === undefined) return [{ by: () => {}, ...restOf({ ...others, action }) }]
  return kinds.flatMap((kind): Way[] => {
    if (kind === of.others) {
      return [
        { by: (query) => void kind(query).where({ target }), ...restOf({ ...others, action }) },
      ]
    }
    // Only to apps: which one is looked for from the newest on.
    if (!target.startsWith('client:')) return []
    return [{ by: () => {}, ...restOf({ ...others, action: signIn, target }) }]
  })
}

function restOf({ action, outcome, address, ref, target }: AuditFilter): Pick<Way, 'rest'> {
  const equal = Object.entries({ outcome, address, ref, target }).filter(
    ([, value]) => value !== undefined,
  )
  if (equal.length === 0 && !action) return {}
  return {
    rest(query) {
      query.where(Object.fromEntries(equal))
      if (action) query.whereRaw('substr(action, 1, ?) = ?', [action.length, action])
    },
  }
}

function between(
  query: Knex.QueryBuilder,
  byChain: string,
  { since, until }: AuditFilter,
  { after, order }: Asked,
) {
  if (since !== undefined) query.where('at', '>=', since)
  // Said in any case: SQLite then finds the order in an index.
  query.where('at', '<', until ?? 2 ** 40)
  if (!after) return
  const { at, chain, seq } = after
  const [on, back] = order === 'newest' ? ['<', '>'] : ['>', '<']
  query.where('at', `${on}=`, at).where((later) =>
    later
      .where('at', on, at)
      .orWhereRaw(`${byChain} ${back} ?`, [chain])
      .orWhere((same) => same.where({ chain }).where('seq', on, seq)),
  )
}

/** What several ways found, as one: as far as all of them have come. */
function join(pages: AuditPage[], { limit, order }: Asked): AuditPage {
  const compare = order === 'newest' ? newestFirst : oldestFirst
  const ends = pages.flatMap(({ next }) => next ?? []).sort(compare)
  const [end] = ends
  const known = pages
    .flatMap(({ rows }) => rows)
    .sort(compare)
    .filter((row) => !end || compare(row, end) <= 0)
  const rows = known.slice(0, limit)
  const last = rows.at(-1)
  const next = known.length > limit && last ? last : end
  return next ? { rows, next: placeOf(next) } : { rows }
}

const newestFirst = (a: AuditPlace, b: AuditPlace): number =>
  b.at - a.at || (a.chain < b.chain ? -1 : Number(a.chain > b.chain)) || b.seq - a.seq
const oldestFirst = (a: AuditPlace, b: AuditPlace): number => newestFirst(b, a)

const placeOf = ({ at, chain, seq }: AuditPlace): AuditPlace => ({ at, chain, seq })

const readPlace = (row: Row): AuditPlace => ({
  at: Number(row.at),
  chain: String(row.chain),
  seq: Number(row.seq),
})

/** A person's as her profile has it, an app's as it registered itself. */
function nameIn(id: string, said: string): [string, string][] {
  const { name, client_name } = JSON.parse(said)
  const called = client_name ?? name?.value
  return typeof called === 'string' && called !== '' ? [[id, called]] : []
}
