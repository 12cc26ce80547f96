/** Sign-ins a day, counted from the audit trail: each event once, however many count and whoever is killed. */
import type { Knex } from 'knex'
import { knownChains } from './audit.ts'
import {
  inParts,
  places,
  type Row,
  type Statements,
  sizedStatements,
  statement,
} from './statements.ts'

/** What is told apart. */
export type SignInKind = {
  /** A day in Taiwan: 2026-11-21. */
  day: string
  /** password, upstream … */
  way: string
  /** The upstream's; empty where she came through none. */
  connector: string
  /** Empty where it was at no app. */
  clientId: string
  /** ok, wrong, or why not. */
  outcome: string
}

export type SignInCount = SignInKind & { count: number }

/** A chain of the audit trail with events that were not counted yet. */
export type Uncounted = { chain: string; counted: number; last: number }

/** An event as far as counting goes. */
export type CountedEvent = {
  at: number
  target: string
  outcome: string
  details: Record<string, unknown>
}

export type SignInWindow = {
  /** First and last day, both in it. */
  from: string
  until: string
  /** Only these; absent, all. What belongs to one of the connectors or to one of the owner's apps is in it. */
  within?: { connectors: readonly string[]; appsOf?: string }
  way?: string
  connector?: string
  clientId?: string
}

export type SignInCounts = {
  uncounted(): Promise<Uncounted[]>
  /** The sign-ins of a part of a chain. */
  signIns(chain: string, after: number, until: number): Promise<CountedEvent[]>
  /**
   * The chain is counted up to here. True for the one caller who found it where he thought: he adds in the same
   * transaction, first thing.
   */
  advance(chain: string, from: number, to: number): Promise<boolean>
  /** Adds them, each kind once in the list. */
  add(counts: SignInCount[]): Promise<void>
  /** Added up over all the kinds that are alike in `by`, in its order. */
  sum<By extends keyof SignInKind>(
    window: SignInWindow,
    by: readonly [By, ...By[]],
  ): Promise<(Pick<SignInKind, By> & { count: number })[]>
}

const uncounted = statement(
  'sign-in-count.uncounted',
  `SELECT chain, counted, last FROM (
     ${knownChains}
     SELECT known.chain AS chain, coalesce(p.seq, 0) AS counted,
       (SELECT max(e.seq) FROM audit_event e WHERE e.chain = known.chain) AS last
     FROM known LEFT JOIN audit_position p ON p.chain = known.chain
     WHERE known.chain IS NOT NULL
   ) AS chains WHERE last > counted ORDER BY chain`,
)
const signIns = statement(
  'sign-in-count.sign-ins',
  `SELECT at, target, outcome, details FROM audit_event
   WHERE chain = ? AND seq > ? AND seq <= ? AND action = 'session.sign-in' ORDER BY seq`,
)
// Waits for whoever is at the same chain, and then finds it moved on.
const advance = statement(
  'sign-in-count.advance',
  `INSERT INTO audit_position (chain, seq) VALUES (?, ?)
   ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq WHERE audit_position.seq = ? RETURNING chain`,
)
const columns = ['day', 'way', 'connector', 'client_id', 'outcome', 'count'] as const
const adds = sizedStatements(
  'sign-in-count.add',
  16,
  (rows) =>
    `INSERT INTO sign_in_count (${columns.join(', ')}) VALUES ${places(columns.length, rows)}
     ON CONFLICT (day, way, connector, client_id, outcome)
     DO UPDATE SET count = sign_in_count.count + excluded.count`,
)

const columnOf = {
  day: 'day',
  way: 'way',
  connector: 'connector',
  clientId: 'client_id',
  outcome: 'outcome',
} as const satisfies Record<keyof SignInKind, string>

export function openSignInCounts(knex: Knex, statements: Statements): SignInCounts {
  return {
    async uncounted() {
      return (await statements.run(uncounted, [])).map((row) => ({
        chain: String(row.chain),
        counted: Number(row.counted),
        last: Number(row.last),
      }))
    },
    async signIns(chain, after, until) {
      return (await statements.run(signIns, [chain, after, until])).map(readEvent)
    },
    // A chain nobody counted yet stands at 0: where there is a row already, another one was faster.
    advance: async (chain, from, to) =>
      (await statements.run(advance, [chain, to, from])).length === 1,
    async add(counts) {
      for (const { statement: insert, part } of inParts(adds, withSums(counts))) {
        const values = part.flatMap(({ day, way, connector, clientId, outcome, count }) => [
          day,
          way,
          connector,
          clientId,
          outcome,
          count,
        ])
        await statements.run(insert, values)
      }
    },
    async sum<By extends keyof SignInKind>(window: SignInWindow, by: readonly [By, ...By[]]) {
      const names = by.map((one) => columnOf[one])
      const rows: Row[] = await knex('sign_in_count')
        .select(names)
        .sum({ count: 'count' })
        .whereBetween('day', [window.from, window.until])
        .modify((query) => pick(query, window, by))
        .modify((query) => keepWithin(knex, query, window.within))
        .groupBy(names)
        .orderBy(names)
      return rows.map((row) => ({
        ...(Object.fromEntries(by.map((one) => [one, String(row[columnOf[one]])])) as Pick<
          SignInKind,
          By
        >),
        count: Number(row.count),
      }))
    },
  }
}

/** In place of what a row does not tell apart. */
const every = '*'

/**
 * Beside each kind its sum over all apps, and over all ways: a year of both at once is a hundred times as many rows,
 * and few ask for both. In one order for everybody: two who add to the same rows must not wait in a circle.
 */
function withSums(counts: SignInCount[]): SignInCount[] {
  const sums = new Map<string, SignInCount>()
  for (const one of counts) {
    for (const row of [
      one,
      { ...one, clientId: every },
      { ...one, way: every, connector: every },
    ]) {
      const { count, ...kind } = row
      const key = JSON.stringify(Object.values(kind))
      const known = sums.get(key)
      if (known) known.count += count
      else sums.set(key, { ...row })
    }
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum)
}

/** The rows that tell apart what is asked, and no more. */
function pick(query: Knex.QueryBuilder, window: SignInWindow, by: readonly (keyof SignInKind)[]) {
  const { way, connector, clientId, within } = window
  const byApp = clientId !== undefined || within?.appsOf !== undefined || by.includes('clientId')
  const byWay =
    way !== undefined ||
    connector !== undefined ||
    (within?.connectors ?? []).length > 0 ||
    by.includes('way') ||
    by.includes('connector')
  if (!byApp) query.where('client_id', every)
  else if (!byWay) query.where('connector', every)
  else query.whereNot('client_id', every).whereNot('connector', every)
  if (way !== undefined) query.where('way', way)
  if (connector !== undefined) query.where('connector', connector)
  if (clientId !== undefined) query.where('client_id', clientId)
}

function keepWithin(knex: Knex, query: Knex.QueryBuilder, within: SignInWindow['within']) {
  if (!within) return
  query.where((either) => {
    either.whereIn('connector', [...within.connectors])
    if (within.appsOf !== undefined) {
      const owned = knex('client_owner').select('client_id').where({ account_id: within.appsOf })
      either.orWhereIn('client_id', owned)
    }
  })
}

const readEvent = (row: Row): CountedEvent => ({
  at: Number(row.at),
  target: String(row.target),
  outcome: String(row.outcome),
  details: JSON.parse(String(row.details)),
})
