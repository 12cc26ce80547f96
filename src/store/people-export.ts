/** Everybody who fits a filter, page after page in an order that stays: for exports, however many people there are. */
import { type AccountRow, type AccountStatus, accountColumns, readAccount } from './accounts.ts'
import { type Row, type Statements, statement, textsIn } from './statements.ts'

export type ExportFilter = {
  connector?: string | undefined
  school?: string | undefined
  status?: AccountStatus | undefined
}

export type ExportedPerson = {
  account: AccountRow
  names: { type: string; value: string; verified: boolean }[]
  connectors: string[]
  schools: { code: string; role: string; titles: string[] }[]
}

export type PeopleExport = {
  /**
   * The people of one page, and where the next begins: undefined after the last. A page may be short, or empty, with
   * others after it.
   */
  page(
    filter: ExportFilter,
    after: string,
    limit: number,
  ): Promise<{ people: ExportedPerson[]; next?: string }>
}

/** Each walks an index, whatever else the filter says: no page reads over people who are not meant. */
const everybody = statement(
  'export.all',
  'SELECT id AS place, id AS account_id FROM account WHERE id > ? ORDER BY id LIMIT ?',
)
const ofConnector = statement(
  'export.connector',
  `SELECT DISTINCT account_id AS place, account_id FROM identity WHERE connector = ? AND account_id > ?
   ORDER BY account_id LIMIT ?`,
)
const ofSchool = statement(
  'export.school',
  // Who is there by two counties comes once, by the first.
  `SELECT DISTINCT a.identity_id AS place, a.account_id FROM affiliation a
   WHERE a.school_code = ? AND a.identity_id > ? AND NOT EXISTS (SELECT 1 FROM affiliation b
     WHERE b.account_id = a.account_id AND b.school_code = a.school_code AND b.identity_id < a.identity_id)
   ORDER BY a.identity_id LIMIT ?`,
)

const about = (name: string, columns: string, table: string, key: string, order: string) =>
  statement(name, {
    sqlite: `SELECT ${columns} FROM ${table} WHERE ${key} IN (${textsIn.sqlite}) ORDER BY ${order}`,
    postgres: `SELECT ${columns} FROM ${table} WHERE ${key} IN (${textsIn.postgres}) ORDER BY ${order}`,
  })
const accounts = about('export.accounts', accountColumns.join(', '), 'account', 'id', 'id')
const names = about(
  'export.names',
  'account_id, type, value, verified_at',
  'identifier',
  'account_id',
  'type, value',
)
const identities = about(
  'export.identities',
  'account_id, connector',
  'identity',
  'account_id',
  'created_at, id',
)
const affiliations = about(
  'export.affiliations',
  'account_id, school_code, role, titles',
  'affiliation',
  'account_id',
  'identity_id, position',
)

export function openPeopleExport(statements: Statements): PeopleExport {
  const find = ({ connector, school }: ExportFilter, after: string, limit: number) => {
    if (school !== undefined) return statements.run(ofSchool, [school, after, limit])
    if (connector !== undefined) return statements.run(ofConnector, [connector, after, limit])
    return statements.run(everybody, [after, limit])
  }
  return {
    async page(filter, after, limit) {
      const found = await find(filter, after, limit)
      const last = found.at(-1)
      if (!last) return { people: [] }
      const wanted = [JSON.stringify([...new Set(found.map((row) => row.account_id))])]
      const [rows, named, linked, taught] = await Promise.all(
        [accounts, names, identities, affiliations].map((one) => statements.run(one, wanted)),
      )
      const namesOf = byAccount(named)
      const linksOf = byAccount(linked)
      const schoolsOf = byAccount(taught)
      const people = (rows ?? [])
        .map(readAccount)
        .map((account) => ({
          account,
          names: (namesOf.get(account.id) ?? []).map(({ type, value, verified_at: at }) => ({
            type: String(type),
            value: String(value),
            verified: at !== null,
          })),
          connectors: [
            ...new Set((linksOf.get(account.id) ?? []).map((row) => String(row.connector))),
          ],
          schools: (schoolsOf.get(account.id) ?? []).map((row) => ({
            code: String(row.school_code),
            role: String(row.role),
            titles: JSON.parse(String(row.titles)),
          })),
        }))
        .filter(
          ({ account: { status }, connectors }) =>
            (filter.status === undefined || status === filter.status) &&
            (filter.connector === undefined || connectors.includes(filter.connector)),
        )
      return { people, ...(found.length === limit ? { next: String(last.place) } : {}) }
    },
  }
}

const byAccount = (rows: Row[] = []): Map<unknown, Row[]> =>
  Map.groupBy(rows, (row) => row.account_id)
