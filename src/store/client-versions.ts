/** What an app's registration was: one row for each change, with who made it. */
import { type Row, type Statements, statement } from './statements.ts'

export type ClientVersionRow = {
  clientId: string
  version: number
  metadata: Record<string, unknown>
  at: number
  /** As the audit trail names whoever it was. */
  changedBy: string
  /** create, change, undo, secret … */
  because: string
  note?: string
}

export type ClientVersions = {
  /** Keeps it. One that is there already stays as it is. */
  add(row: ClientVersionRow): Promise<void>
  find(clientId: string, version: number): Promise<ClientVersionRow | undefined>
  /** Newest first, those before `before`. */
  list(clientId: string, before: number, limit: number): Promise<ClientVersionRow[]>
  forgetClient(clientId: string): Promise<void>
}

const columns = 'client_id, version, metadata, at, changed_by, because, note'
const add = statement(
  'client-version.add',
  `INSERT INTO client_version (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (client_id, version) DO NOTHING`,
)
const find = statement(
  'client-version.find',
  `SELECT ${columns} FROM client_version WHERE client_id = ? AND version = ?`,
)
const list = statement(
  'client-version.list',
  `SELECT ${columns} FROM client_version WHERE client_id = ? AND version < ?
   ORDER BY version DESC LIMIT ?`,
)
const forget = statement('client-version.forget', 'DELETE FROM client_version WHERE client_id = ?')

export function openClientVersions(statements: Statements): ClientVersions {
  return {
    async add({ clientId, version, metadata, at, changedBy, because, note }) {
      const values = [clientId, version, JSON.stringify(metadata), at, changedBy, because]
      await statements.run(add, [...values, note ?? null])
    },
    async find(clientId, version) {
      const [row] = await statements.run(find, [clientId, version])
      return row && read(row)
    },
    list: async (clientId, before, limit) =>
      (await statements.run(list, [clientId, before, limit])).map(read),
    async forgetClient(clientId) {
      await statements.run(forget, [clientId])
    },
  }
}

const read = (row: Row): ClientVersionRow => ({
  clientId: String(row.client_id),
  version: Number(row.version),
  metadata: JSON.parse(String(row.metadata)),
  at: Number(row.at),
  changedBy: String(row.changed_by),
  because: String(row.because),
  ...(row.note === null ? {} : { note: String(row.note) }),
})
