/** A filter as SQL: what must hold of each person, and whom a selective part of it leaves. */
import type { AccountRow } from './accounts.ts'
import type { Value } from './statements.ts'

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

/** A piece of a statement, with the values of its places. */
export type Part = { sql: string; values: Value[] }

/** No condition. */
export const nothing: Part = { sql: '', values: [] }

/** To be put behind a WHERE clause that says something already. */
export const andAll = (parts: Part[]): Part => ({
  sql: parts.map(({ sql }) => ` AND ${sql}`).join(''),
  values: parts.flatMap(({ values }) => values),
})

/** A place for each value: `(?, ?, ?)`. */
export const placesOf = (values: readonly Value[]) => `(${values.map(() => '?').join(', ')})`

/** Sorts after every text that begins so: both engines compare bytes of UTF-8 here. */
export const endOf = (begins: string) => `${begins}\u{10ffff}`

/** Asked person by person: without LIMIT and OFFSET PostgreSQL would read a whole county first. */
const perPerson = (from: string, values: Value[]): Part => ({
  sql: `EXISTS (SELECT 1 FROM ${from} LIMIT 1 OFFSET 0)`,
  values,
})

export const isWithin = (connectors: readonly string[], id: string): Part =>
  perPerson(`identity i WHERE i.account_id = ${id} AND i.connector IN ${placesOf(connectors)}`, [
    ...connectors,
  ])

const beginsSo = (begins: string, id: string): Part =>
  perPerson(`account_key b WHERE b.account_id = ${id} AND b.value >= ? AND b.value < ?`, [
    begins,
    endOf(begins),
  ])

const schoolFrom = (school: string, within: Within): Part => ({
  sql: within
    ? `affiliation f JOIN identity i ON i.id = f.identity_id AND i.connector IN ${placesOf(within)}
       WHERE f.school_code = ?`
    : 'affiliation f WHERE f.school_code = ?',
  values: [...(within ?? []), school],
})

const hasSchool = (school: string, within: Within, id: string): Part => {
  const { sql, values } = schoolFrom(school, within)
  return perPerson(`${sql} AND f.account_id = ${id}`, values)
}

type Barred = Exclude<AccountRow['status'], 'active'>

/** In the text, not as a value: a partial index is used for what a statement says, not for what it is given. */
export const isBarred = (status: Barred) => `a.status = '${status}' AND a.status <> 'active'`

const hasColumn = (column: 'status' | 'kind', value: string, id: string): Part =>
  perPerson(`account x WHERE x.id = ${id} AND x.${column} = ?`, [value])

export type Asked = 'within' | 'school' | 'status' | 'kind' | 'begins'

/** Everything the filter asks but what `without` names. `id`: the column a person's id stands in. */
export const conditions = (
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

/** Parts of a filter that may leave only a few people, in the order they are tried: whom each leaves, read from its index. */
export const fewBy: Partial<Record<Asked, (filter: PeopleFilter) => Part | false | undefined>> = {
  school({ school, within }) {
    if (school === undefined) return undefined
    const { sql, values } = schoolFrom(school, within)
    return { sql: `SELECT f.account_id AS id FROM ${sql}`, values }
  },
  begins: ({ begins }) =>
    begins !== undefined && {
      sql: 'SELECT b.account_id AS id FROM account_key b WHERE b.value >= ? AND b.value < ?',
      values: [begins, endOf(begins)],
    },
  status: ({ status }) =>
    status !== undefined &&
    status !== 'active' && {
      sql: `SELECT a.id FROM account a WHERE ${isBarred(status)}`,
      values: [],
    },
  within: ({ within }) =>
    within && {
      sql: `SELECT i.account_id AS id FROM identity i WHERE i.connector IN ${placesOf(within)}`,
      values: [...within],
    },
}
