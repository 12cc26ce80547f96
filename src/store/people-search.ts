/**
 * Finds people by what staff type and choose. A page costs the same however many fit: it is read in the order of an
 * index; where a part of the filter leaves few people, from those few; and where neither helps, a bounded number of
 * people is looked at, and the next page goes on behind them.
 */
import type { Knex } from 'knex'
import { type AccountRow, accountColumns, readAccount } from './accounts.ts'
import { describePeople, type FoundPerson } from './people-described.ts'
import {
  type Asked,
  andAll,
  conditions,
  endOf,
  fewBy,
  isBarred,
  isWithin,
  nothing,
  type Part,
  type PeopleFilter,
  placesOf,
  type Within,
} from './people-filter.ts'
import type { Row } from './statements.ts'

export const peopleOrders = ['match', 'updated', 'created'] as const
export type PeopleOrder = (typeof peopleOrders)[number]

/** Where a page begins: after a key, or after a moment and an id. */
export type PeoplePlace = { match: [string, string, string] } | { moment: [number, string] }

export type PeopleSearch = {
  /** Ids in order, and where the next page begins. A page may be short of `limit` and not the last one. */
  page(
    filter: PeopleFilter,
    order: PeopleOrder,
    range: { after: PeoplePlace | undefined; limit: number; except: string[] },
  ): Promise<{ ids: string[]; next?: PeoplePlace }>
  /**
   * Who is known by exactly this, of those who fit: an account's id, a name, an upstream's subject; and by what nobody is
   * shown of her, a telephone number or the address she keeps for a new password. `hidden`: by such a thing alone.
   */
  exactly(
    typed: { names: string[]; subject: string; personal?: string | undefined },
    filter: PeopleFilter,
  ): Promise<{ id: string; hidden: boolean }[]>
  /** What a list shows of them, in this order; of schools and upstreams what is within reach. */
  describe(ids: string[], within: Within): Promise<FoundPerson[]>
  /** One of them, if she is within reach: whoever is not and who does not exist are one answer. */
  find(id: string, within: Within): Promise<AccountRow | undefined>
  /** Those of them who are within reach. */
  among(ids: string[], within: Within): Promise<Set<string>>
  /** The same as `find`, held until the transaction ends. Call it inside one. */
  lock(id: string, within: Within): Promise<AccountRow | undefined>
}

/** How many people a filter may leave to be looked at one by one, and how many are looked at for one page at most. */
const usual = { few: 2_000, looked: 2_000 }

/** The most people one thing may lead to: a subject several counties gave out, an address a family shares. */
const mostExact = 50

const columnOf = { updated: 'updated_at', created: 'created_at' } as const

/** Whether it is the first of her keys that fits: she is shown there, and not again at the others. */
const isFirst = `NOT EXISTS (SELECT 1 FROM account_key e WHERE e.account_id = k.account_id AND e.value >= ?
  AND (e.value < k.value OR (e.value = k.value AND e.kind < k.kind))) AS first`

type Found = { ids: string[]; next?: PeoplePlace }
type Range = { after: PeoplePlace | undefined; limit: number; except: Part }

export function openPeopleSearch(knex: Knex, { few, looked: most } = usual): PeopleSearch {
  const postgres = knex.client.driverName === 'pg'

  // Not under a name: a statement PostgreSQL prepared once would be planned for nobody in particular.
  async function run({ sql, values }: Part): Promise<Row[]> {
    const answer = await knex.raw(sql, values as Knex.RawBinding[])
    return postgres ? answer.rows : answer
  }

  /** The first part of the filter that leaves few people, with a SELECT of them; undefined where none does. */
  async function findSet(
    filter: PeopleFilter,
    without: readonly Asked[],
  ): Promise<{ asked: Asked; set: Part } | undefined> {
    for (const [asked, setOf] of Object.entries(fewBy) as [Asked, typeof fewBy.school][]) {
      const part = !without.includes(asked) && setOf?.(filter)
      if (!part) continue
      const { sql, values } = part
      const counted = `SELECT count(*) AS n FROM (SELECT 1 FROM (${sql} LIMIT ${few + 1}) s) c`
      const [row] = await run({ sql: counted, values })
      const set = { sql: `SELECT DISTINCT id FROM (${sql}) d`, values }
      if (Number(row?.n) <= few) return { asked, set }
    }
    return undefined
  }

  /** A page that is not full goes on behind the last one that was looked at; without one the search is over. */
  async function goOn(
    found: Found,
    looked: Part,
    placeOf: (row: Row) => PeoplePlace,
  ): Promise<Found> {
    const [last] = await run({ ...looked, sql: `${looked.sql} LIMIT 1 OFFSET ${most - 1}` })
    return last ? { ...found, next: placeOf(last) } : found
  }

  /** In the order of keys: from the keys that begin so, or from a few people who have such a key. */
  async function byKey(
    begins: string,
    filter: PeopleFilter,
    { after, limit, except }: Range,
  ): Promise<Found> {
    const place = after && 'match' in after ? after.match : undefined
    const range: Part = {
      sql: `k.value >= ? AND k.value < ?${place ? ' AND (k.value, k.kind, k.account_id) > (?, ?, ?)' : ''}`,
      values: [place?.[0] ?? begins, endOf(begins), ...(place ?? [])],
    }
    const columns = 'k.value, k.kind, k.account_id'
    const { asked, set } = (await findSet(filter, ['begins'])) ?? {}
    const rest = andAll(conditions(filter, 'k.account_id', ['begins', asked]))
    const looked: Part = {
      sql: `SELECT ${columns} FROM account_key k WHERE ${range.sql} ORDER BY ${columns}`,
      values: range.values,
    }
    const from: Part = set
      ? {
          sql: `(${set.sql}) s JOIN account_key k ON k.account_id = s.id AND ${range.sql}`,
          values: [...set.values, ...range.values],
        }
      : { sql: `(${looked.sql} LIMIT ${most}) k`, values: looked.values }
    const rows = await run({
      sql: `SELECT ${columns}, ${isFirst} FROM (
              SELECT ${columns} FROM ${from.sql} WHERE 1 = 1${rest.sql}${except.sql}
              ORDER BY ${columns} LIMIT ?) k ORDER BY ${columns}`,
      values: [begins, ...from.values, ...rest.values, ...except.values, limit + 1],
    })
    const placeOf = (row: Row): PeoplePlace => ({
      match: [String(row.value), String(row.kind), String(row.account_id)],
    })
    const first = (row: Row) => Boolean(row.first)
    const cut = cutAt(rows, limit, 'account_id', placeOf, first)
    return cut.next || set ? cut : goOn(cut, looked, placeOf)
  }

  /** The newest first. */
  async function byMoment(
    order: keyof typeof columnOf,
    filter: PeopleFilter,
    { after, limit, except }: Range,
  ): Promise<Found> {
    const column = columnOf[order]
    const place = after && 'moment' in after ? after.moment : undefined
    const { status } = filter
    // Pending, suspended and closed accounts have an index of their own.
    const barred =
      order === 'updated' && status !== undefined && status !== 'active' ? status : undefined
    const range: Part = {
      sql: [
        'WHERE 1 = 1',
        ...(barred ? [isBarred(barred)] : []),
        ...(place ? [`(a.${column}, a.id) < (?, ?)`] : []),
      ].join(' AND '),
      values: [...(place ?? [])],
    }
    const sorted = `ORDER BY a.${column} DESC, a.id DESC`
    const { asked, set } = (await findSet(filter, [])) ?? {}
    const rest = andAll(conditions(filter, 'a.id', [asked, barred && 'status']))
    const looked: Part = {
      sql: `SELECT a.id, a.${column} FROM account a ${range.sql} ${sorted}`,
      values: range.values,
    }
    const from: Part = set
      ? {
          sql: `(${set.sql}) s JOIN account a ON a.id = s.id ${range.sql}`,
          values: [...set.values, ...range.values],
        }
      : { sql: `(${looked.sql} LIMIT ${most}) a WHERE 1 = 1`, values: looked.values }
    const rows = await run({
      sql: `SELECT a.id, a.${column} FROM ${from.sql}${rest.sql}${except.sql} ${sorted} LIMIT ?`,
      values: [...from.values, ...rest.values, ...except.values, limit + 1],
    })
    const placeOf = (row: Row): PeoplePlace => ({ moment: [Number(row[column]), String(row.id)] })
    const cut = cutAt(rows, limit, 'id', placeOf)
    return cut.next || set ? cut : goOn(cut, looked, placeOf)
  }

  const oneOf = (id: string, within: Within, lock: boolean): Part => {
    const rest = within ? andAll([isWithin(within, 'a.id')]) : nothing
    const columns = accountColumns.map((column) => `a.${column}`).join(', ')
    return {
      sql: `SELECT ${columns} FROM account a WHERE a.id = ?${rest.sql}${lock && postgres ? ' FOR UPDATE OF a' : ''}`,
      values: [id, ...rest.values],
    }
  }

  async function one(id: string, within: Within, lock: boolean) {
    if (within?.length === 0) return undefined
    const [row] = await run(oneOf(id, within, lock))
    return row && readAccount(row)
  }

  return {
    async page(filter, order, { after, limit, except }) {
      // A role that reaches no county reaches nobody.
      if (filter.within?.length === 0) return { ids: [] }
      const id = order === 'match' ? 'k.account_id' : 'a.id'
      const others: Part =
        except.length > 0
          ? { sql: ` AND ${id} NOT IN ${placesOf(except)}`, values: except }
          : nothing
      const range = { after, limit, except: others }
      const { begins } = filter
      if (order !== 'match') return byMoment(order, filter, range)
      return begins === undefined ? { ids: [] } : byKey(begins, filter, range)
    },
    async exactly({ names, subject, personal }, filter) {
      const { within } = filter
      if (within?.length === 0) return []
      const there = within
        ? { sql: ` AND connector IN ${placesOf(within)}`, values: within }
        : nothing
      const hidden: Part =
        personal === undefined
          ? nothing
          : {
              sql: `UNION SELECT account_id, 1 FROM identifier WHERE type = 'phone' AND value = ?
                    UNION SELECT account_id, 1 FROM recovery_address WHERE value = ?`,
              values: [personal, personal],
            }
      const known: Part = {
        sql: `SELECT id, 0 AS hidden FROM account WHERE id = ?
              UNION SELECT account_id, 0 FROM identifier
                WHERE type IN ('username', 'email') AND value IN ${placesOf(names)}
              UNION SELECT account_id, 0 FROM identity WHERE subject = ?${there.sql}
              ${hidden.sql}`,
        values: [subject, ...names, subject, ...there.values, ...hidden.values],
      }
      const rest = andAll(conditions(filter, 'a.id', []))
      const rows = await run({
        sql: `SELECT a.id, min(x.hidden) AS hidden FROM (${known.sql}) x
              JOIN account a ON a.id = x.id WHERE 1 = 1${rest.sql}
              GROUP BY a.id ORDER BY a.id LIMIT ${mostExact}`,
        values: [...known.values, ...rest.values],
      })
      return rows.map(({ id, hidden }) => ({ id: String(id), hidden: Number(hidden) === 1 }))
    },
    describe: (ids, within) => describePeople(run, ids, within),
    find: (id, within) => one(id, within, false),
    async among(ids, within) {
      if (ids.length === 0 || within?.length === 0) return new Set()
      const rest = within ? andAll([isWithin(within, 'a.id')]) : nothing
      const rows = await run({
        sql: `SELECT a.id FROM account a WHERE a.id IN ${placesOf(ids)}${rest.sql}`,
        values: [...ids, ...rest.values],
      })
      return new Set(rows.map(({ id }) => String(id)))
    },
    lock: (id, within) => one(id, within, true),
  }
}

/** The first `limit` of the rows, of which one more was read, and where the next page begins if there is one. */
function cutAt(
  rows: Row[],
  limit: number,
  id: string,
  placeOf: (row: Row) => PeoplePlace,
  shows: (row: Row) => boolean = () => true,
): Found {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const ids = page.filter(shows).map((row) => String(row[id]))
  return rows.length > limit && last ? { ids, next: placeOf(last) } : { ids }
}
