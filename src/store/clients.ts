/** Relying-party registrations. */
import type { Knex } from 'knex'
import { type Row, type Statements, statement } from './statements.ts'

export type ClientRow = {
  id: string
  /** RFC 7591 names plus our own; never the secret. */
  metadata: Record<string, unknown>
  /** SHA-256 of the secret, base64url. Absent for public clients and private_key_jwt. */
  secretHash?: string
  createdAt: number
  updatedAt: number
}

export type Clients = {
  create(row: ClientRow): Promise<void>
  /** Creates the client or makes the stored one equal to `row`. */
  put(row: ClientRow): Promise<void>
  find(id: string): Promise<ClientRow | undefined>
  /** Oldest first. */
  list(): Promise<ClientRow[]>
  /** False if there is no such client. */
  setSecret(id: string, secretHash: string, at: number): Promise<boolean>
  /** False if there is no such client. */
  remove(id: string): Promise<boolean>
}

const find = statement(
  'client.find',
  'SELECT id, metadata, secret_hash, created_at, updated_at FROM client WHERE id = ?',
)

export function openClients(knex: Knex, statements: Statements): Clients {
  const read = (row: Row): ClientRow => ({
    id: String(row.id),
    metadata: JSON.parse(String(row.metadata)),
    ...(typeof row.secret_hash === 'string' ? { secretHash: row.secret_hash } : {}),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  })
  const columns = (row: ClientRow) => ({
    id: row.id,
    metadata: JSON.stringify(row.metadata),
    secret_hash: row.secretHash ?? null,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
  })
  return {
    async create(row) {
      await knex('client').insert(columns(row))
    },
    async put(row) {
      const merged = ['metadata', 'secret_hash', 'updated_at']
      await knex('client').insert(columns(row)).onConflict('id').merge(merged)
    },
    async find(id) {
      const [row] = await statements.run(find, [id])
      return row && read(row)
    },
    async list() {
      return (await knex('client').orderBy(['created_at', 'id'])).map(read)
    },
    async setSecret(id, secretHash, at) {
      const changes = { secret_hash: secretHash, updated_at: at }
      return (await knex('client').where({ id }).update(changes)) === 1
    },
    async remove(id) {
      return (await knex('client').where({ id }).delete()) === 1
    },
  }
}
