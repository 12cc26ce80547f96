/**
 * People by what staff type and choose. However many fit, a page costs the same: it is read in the order of an index,
 * and where a filter leaves few of that order, from the few; in between so many are looked at, and the next page goes on.
 */
import type { Knex } from 'knex'
import { type AccountRow, accountColumns, readAccount } from './accounts.ts'
import type { Row, Value } from './statements.ts'

export const peopleOrders = ['match', 'updated', 'created'] as const
export type PeopleOrder = (typeof peopleOrders)[number]
export const accountStatuses = ['pending', 'active', 'suspended', 'closed'] as const

/** Whom a role reaches: everybody, or who signs in by one of these. */
export type Within = readonly string[] | undefined

export type PeopleFilter = {
  /** One of her keys begins so (`keyText`). */
  begins?: string | undefined
  within?: Within
  /** What one of her upstreams, within reach, says of her. */
  school?: string | undefined
  status?: AccountRow['status'] | undefined
  kind?: string | undefined
}

/** Where a page begins: after a key, or after a moment and an id. */
export type PeoplePlace = { match: [string, string, string] } | { moment: [number, string] }

export type FoundPerson = Pick<AccountRow, 'id' | 'kind' | 'status' | 'createdAt' | 'updatedAt'> & {
  name: string
  names: string[]
  connectors: string[]
  schools: { code: string; name?: string }[]
}

export type PeopleSearch = {
  /** Ids in order, and where the next page begins. A page may be short of `limit` and not the last one. */
  page(
    filter: PeopleFilter,
    order: PeopleOrder,
    range: { after: PeoplePlace | undefined; limit: number; except: string[] },
  ): Promise<{ ids: string[]; next?: PeoplePlace }>
  /** Who is known by exactly this, of those who fit: an account's id, a name, an address, an upstream's subject. */
  exactly(typed: { names: string[]; subject: string }, filter: PeopleFilter): Promise<string[]>
  /** What a list shows of them, in this order; of schools and upstreams what is within reach. */
  describe(ids: string[], within: Within): Promise<FoundPerson[]>
  /** One of them, if she is within reach: whoever is not and who does not exist are one answer. */
  find(id: string, within: Within): Promise<AccountRow | undefined>
  /** The same, held until the transaction ends. Call it inside one. */
  lock(id: string, within: Within): Promise<AccountRow | undefined>
}

/** How many people a filter may leave to be looked at one by one, and how many are looked at for one page at most. */
const usual = { few: 2_000, looked: 2_000 }

/** As many people may be known by one thing: a subject that several counties gave, an address a family shares. */
const mostExact = 50

type Part = { sql: string; values: Value[] }

const nothing: Part = { sql: '', values: [] }
const all = (parts: Part[]): Part => ({
  sql: parts.map(({ sql }) => ` AND ${sql}`).join(''),
  values: parts.flatMap(({ values }) => values),
})
const list = (values: readonly Value[]) => `(${values.map(() => '?').join(', ')})`

/** After every text that begins so: both engines compare bytes of UTF-8 here. */
const end = (begins: string) => `${begins}\u{10ffff}`

/** Looked at person by person: PostgreSQL would rather read all of a county first. */
const perPerson = (from: string, values: Value[]): Part => ({
  sql: `EXISTS (SELECT 1 FROM ${from} LIMIT 1 OFFSET 0)`,
  values,
})

const isWithin = (connectors: readonly string[], id: string): Part =>
  perPerson(`identity i WHERE i.account_id = ${id} AND i.connector IN ${list(connectors)}`, [
    ...connectors,
  ])

const beginsSo = (begins: string, id: string): Part =>
  perPerson(`account_key b WHERE b.account_id = ${id} AND b.value >= ? AND b.value < ?`, [
    begins,
    end(begins),
  ])

const schoolFrom = (school: string, within: Within): Part => ({
  sql: within
    ? `affiliation f JOIN identity i ON i.id = f.identity_id AND i.connector IN ${list(within)}
       WHERE f.school_code = ?`
    : 'affiliation f WHERE f.school_code = ?',
  values: [...(within ?? []), school],
})

const hasSchool = (school: string, within: Within, id: string): Part => {
  const { sql, values } = schoolFrom(school, within)
  return perPerson(`${sql} AND f.account_id = ${id}`, values)
}

type Barred = Exclude<AccountRow['status'], 'active'>

// In the text: a partial index is found by what a statement says, not by what it is given.
const isBarred = (status: Barred) => `a.status = '${status}' AND a.status <> 'active'`

const hasColumn = (column: 'status' | 'kind', value: string, id: string): Part =>
  perPerson(`account x WHERE x.id = ${id} AND x.${column} = ?`, [value])

type Asked = 'within' | 'school' | 'status' | 'kind' | 'begins'

/** All that is asked but for what is seen to already. `id`: where a person's id stands in the statement. */
const conditions = (
  { within, school, status, kind, begins }: PeopleFilter,
  id: string,
  without: readonly (Asked | undefined)[],
): Part[] => {
  const parts: Record<Asked, Part | false | undefined> = {
    within: within && isWithin(within, id),
    school: school !== undefined && hasSchool(school, within, id),
    status: status !== undefined && hasColumn('status', status, id),
    kind: kind !== undefined && hasColumn('kind', kind, id),
    begins: begins !== undefined && beginsSo(begins, id),
  }
  return Object.entries(parts).flatMap(([asked, part]) =>
    part && !without.includes(asked as Asked) ? [part] : [],
  )
}

/** Filters that may leave a few only: the accounts of each, straight from its index. */
const sets: Partial<Record<Asked, (filter: PeopleFilter) => Part | false | undefined>> = {
  school({ school, within }) {
    if (school === undefined) return undefined
    const { sql, values } = schoolFrom(school, within)
    return { sql: `SELECT f.account_id AS id FROM ${sql}`, values }
  },
  begins: ({ begins }) =>
    begins !== undefined && {
      sql: 'SELECT b.account_id AS id FROM account_key b WHERE b.value >= ? AND b.value < ?',
      values: [begins, end(begins)],
    },
  status: ({ status }) =>
    status !== undefined &&
    status !== 'active' && {
      sql: `SELECT a.id FROM account a WHERE ${isBarred(status)}`,
      values: [],
    },
  within: ({ within }) =>
    within && {
      sql: `SELECT i.account_id AS id FROM identity i WHERE i.connector IN ${list(within)}`,
      values: [...within],
    },
}

const columnOf = { updated: 'updated_at', created: 'created_at' } as const

/** She is shown at the first of her keys that fits. */
const isFirst = `NOT EXISTS (SELECT 1 FROM account_key e WHERE e.account_id = k.account_id AND e.value >= ?
  AND (e.value < k.value OR (e.value = k.value AND e.kind < k.kind))) AS first`

type Found = { ids: string[]; next?: PeoplePlace }

export function openPeopleSearch(knex: Knex, { few, looked: most } = usual): PeopleSearch {
  const postgres = knex.client.driverName === 'pg'

  // Not under a name: a statement PostgreSQL prepared once would be planned for nobody in particular.
  async function run({ sql, values }: Part): Promise<Row[]> {
    const answer = await knex.raw(sql, values as Knex.RawBinding[])
    return postgres ? answer.rows : answer
  }

  /** The first of the filters that leaves a few, with those it leaves. */
  async function findSet(
    filter: PeopleFilter,
    without: readonly Asked[],
  ): Promise<{ asked: Asked; set: Part } | undefined> {
    for (const [asked, setOf] of Object.entries(sets) as [Asked, typeof sets.school][]) {
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

  /** In the order of keys: from the keys that begin so, or from a few people who have such a key. */
  async function byKey(
    begins: string,
    filter: PeopleFilter,
    { after, limit, except }: { after: PeoplePlace | undefined; limit: number; except: Part },
  ): Promise<Found> {
    const place = after && 'match' in after ? after.match : undefined
    const range: Part = {
      sql: `k.value >= ? AND k.value < ?${place ? ' AND (k.value, k.kind, k.account_id) > (?, ?, ?)' : ''}`,
      values: [place?.[0] ?? begins, end(begins), ...(place ?? [])],
    }
    const columns = 'k.value, k.kind, k.account_id'
    const { asked, set } = (await findSet(filter, ['begins'])) ?? {}
    const rest = all(conditions(filter, 'k.account_id', ['begins', asked]))
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
    if (cut.next || set) return cut
    const [last] = await run({ ...looked, sql: `${looked.sql} LIMIT 1 OFFSET ${most - 1}` })
    return last ? { ...cut, next: placeOf(last) } : cut
  }

  /** The newest first. */
  async function byMoment(
    order: keyof typeof columnOf,
    filter: PeopleFilter,
    { after, limit, except }: { after: PeoplePlace | undefined; limit: number; except: Part },
  ): Promise<Found> {
    const column = columnOf[order]
    const place = after && 'moment' in after ? after.moment : undefined
    const { status } = filter
    // Those who may not come in have an index of their own.
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
    const rest = all(conditions(filter, 'a.id', [asked, barred && 'status']))
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
    if (cut.next || set) return cut
    const [last] = await run({ ...looked, sql: `${looked.sql} LIMIT 1 OFFSET ${most - 1}` })
    return last ? { ...cut, next: placeOf(last) } : cut
  }

  const oneOf = (id: string, within: Within, lock: boolean): Part => {
    const rest = within ? all([isWithin(within, 'a.id')]) : nothing
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
      // Nobody signs in by none of nothing.
      if (filter.within?.length === 0) return { ids: [] }
      const id = order === 'match' ? 'k.account_id' : 'a.id'
      const others: Part =
        except.length > 0 ? { sql: ` AND ${id} NOT IN ${list(except)}`, values: except } : nothing
      const range = { after, limit, except: others }
      const { begins } = filter
      if (order !== 'match') return byMoment(order, filter, range)
      return begins === undefined ? { ids: [] } : byKey(begins, filter, range)
    },
    async exactly({ names, subject }, filter) {
      const { within } = filter
      if (within?.length === 0) return []
      const there = within ? { sql: ` AND connector IN ${list(within)}`, values: within } : nothing
      const known: Part = {
        sql: `SELECT id FROM account WHERE id = ?
              UNION SELECT account_id FROM identifier
                WHERE type IN ('username', 'email', 'phone') AND value IN ${list(names)}
              UNION SELECT account_id FROM recovery_address WHERE value IN ${list(names)}
              UNION SELECT account_id FROM identity WHERE subject = ?${there.sql}`,
        values: [subject, ...names, ...names, subject, ...there.values],
      }
      const rest = all(conditions(filter, 'a.id', []))
      const rows = await run({
        sql: `SELECT a.id FROM (${known.sql}) x
              JOIN account a ON a.id = x.id WHERE 1 = 1${rest.sql} ORDER BY a.id LIMIT ${mostExact}`,
        values: [...known.values, ...rest.values],
      })
      return rows.map(({ id }) => String(id))
    },
    async describe(ids, within) {
      if (ids.length === 0) return []
      const [accounts, names, schools, connectors] = await Promise.all([
        run({
          sql: `SELECT id, kind, status, profile, created_at, updated_at FROM account
                WHERE id IN ${list(ids)}`,
          values: ids,
        }),
        run({
          sql: `SELECT account_id, value FROM identifier
                WHERE account_id IN ${list(ids)} AND type <> 'phone' ORDER BY value`,
          values: ids,
        }),
        run({
          sql: `SELECT DISTINCT f.account_id, f.school_code, f.school_name FROM affiliation f
                JOIN identity i ON i.id = f.identity_id
                WHERE f.account_id IN ${list(ids)}${within ? ` AND i.connector IN ${list(within)}` : ''}
                ORDER BY f.school_code`,
          values: [...ids, ...(within ?? [])],
        }),
        run({
          sql: `SELECT DISTINCT account_id, connector FROM identity
                WHERE account_id IN ${list(ids)}${within ? ` AND connector IN ${list(within)}` : ''}
                ORDER BY connector`,
          values: [...ids, ...(within ?? [])],
        }),
      ])
      const byId = new Map(accounts.map((row) => [String(row.id), row]))
      return ids.flatMap((id) => {
        const row = byId.get(id)
        if (!row) return []
        const hers = (rows: Row[]) => rows.filter((one) => one.account_id === id)
        const { name, preferred_username: username } = JSON.parse(String(row.profile))
        return {
          id,
          kind: String(row.kind),
          status: row.status as AccountRow['status'],
          createdAt: Number(row.created_at),
          updatedAt: Number(row.updated_at),
          name: String(name?.value ?? username?.value ?? ''),
          names: hers(names).map(({ value }) => String(value)),
          connectors: hers(connectors).map(({ connector }) => String(connector)),
          schools: hers(schools).map((one) => ({
            code: String(one.school_code),
            ...(one.school_name === null ? {} : { name: String(one.school_name) }),
          })),
        }
      })
    },
    find: (id, within) => one(id, within, false),
    lock: (id, within) => one(id, within, true),
  }
}

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
