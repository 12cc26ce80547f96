/** People as a list shows them: one statement for each table, whatever the number of people on the page. */
import type { AccountRow } from './accounts.ts'
import { type Part, placesOf, type Within } from './people-filter.ts'
import type { Row } from './statements.ts'

export type FoundPerson = Pick<AccountRow, 'id' | 'kind' | 'status' | 'createdAt' | 'updatedAt'> & {
  name: string
  names: string[]
  connectors: string[]
  schools: { code: string; name?: string }[]
}

/** In the order of `ids`, without those that do not exist; schools and upstreams as far as they are within reach. */
export async function describePeople(
  run: (part: Part) => Promise<Row[]>,
  ids: string[],
  within: Within,
): Promise<FoundPerson[]> {
  if (ids.length === 0) return []
  const [accounts, names, schools, connectors] = await Promise.all([
    run({
      sql: `SELECT id, kind, status, profile, created_at, updated_at FROM account
            WHERE id IN ${placesOf(ids)}`,
      values: ids,
    }),
    run({
      sql: `SELECT account_id, value FROM identifier
            WHERE account_id IN ${placesOf(ids)} AND type <> 'phone' ORDER BY value`,
      values: ids,
    }),
    run({
      sql: `SELECT DISTINCT f.account_id, f.school_code, f.school_name FROM affiliation f
            JOIN identity i ON i.id = f.identity_id
            WHERE f.account_id IN ${placesOf(ids)}${within ? ` AND i.connector IN ${placesOf(within)}` : ''}
            ORDER BY f.school_code`,
      values: [...ids, ...(within ?? [])],
    }),
    run({
      sql: `SELECT DISTINCT account_id, connector FROM identity
            WHERE account_id IN ${placesOf(ids)}${within ? ` AND connector IN ${placesOf(within)}` : ''}
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
}
