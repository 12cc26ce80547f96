/** Relying-party registrations. */
import type { Knex } from 'knex'
import { places, type Row, type Statements, statement, type Value } from './statements.ts'

export const clientKinds = ['web', 'spa', 'native', 'machine'] as const
export type ClientKind = (typeof clientKinds)[number]

export type ClientRow = {
  id: string
  /** RFC 7591 names plus our own; never the secret. */
  metadata: Record<string, unknown>
  /** What people read, in the first of our languages. */
  name: string
  kind: ClientKind
  /** Goes up by one with every change. */
  version: number
  /** SHA-256 of the secret, base64url. Absent for public clients and private_key_jwt. */
  secretHash?: string
  secretCreatedAt?: number
  /** Absent: never. */
  secretExpiresAt?: number
  /** The secret before this one, good for a while longer. */
  formerSecretHash?: string
  formerSecretExpiresAt?: number
  /** Nobody signs in to it, and it gets no tokens. */
  disabledAt?: number
  /** It registered itself (RFC 7591). */
  origin?: 'dynamic'
  /** SHA-256 of its registration access token (RFC 7592). */
  registrationToken?: string
  createdAt: number
  updatedAt: number
}

/** What a registration has at least: name and kind are read from its metadata then. */
export type NewClientRow = Pick<ClientRow, 'id' | 'metadata' | 'createdAt' | 'updatedAt'> &
  Partial<ClientRow>

export const clientSorts = ['name', 'created', 'updated'] as const
export type ClientSort = (typeof clientSorts)[number]
export const clientStates = ['active', 'disabled', 'expiring'] as const
export type ClientState = (typeof clientStates)[number]

export type ClientSearch = {
  /** A part of the name, the beginning of the id, or a part of a redirect's host. */
  text?: string
  kind?: ClientKind
  state?: ClientState
  /** `expiring`: the secret is not good any more then. */
  expiresBefore: number
  /** Only apps of this account. */
  owner?: string
  sort: ClientSort
  descending: boolean
  /** Goes on after this one: what it is sorted by, and its id. */
  after?: [string | number, string]
  limit: number
}

export type Clients = {
  /** False if there is one of that id: nothing is written. */
  create(row: NewClientRow): Promise<boolean>
  /** Creates the client or makes the stored one's registration equal to `row`. */
  put(row: NewClientRow): Promise<void>
  find(id: string): Promise<ClientRow | undefined>
  /** Those of them that exist, in no order. */
  findMany(ids: string[]): Promise<ClientRow[]>
  /** Oldest first. */
  list(): Promise<ClientRow[]>
  search(wanted: ClientSearch): Promise<ClientRow[]>
  /** The row, with its version one up. Undefined if somebody changed it since it was read, or it is gone: nothing is written. */
  change(row: ClientRow): Promise<ClientRow | undefined>
  /** Writes down name and kind of those a release without them wrote. How many. */
  nameOld(): Promise<number>
  /** Enabled ones whose secret expires between the two. */
  secretsExpiring(from: number, until: number): Promise<ClientRow[]>
  /** False if there is no such client. */
  remove(id: string): Promise<boolean>
}

const columns = [
  'id',
  'metadata',
  'secret_hash',
  'created_at',
  'updated_at',
  'name',
  'kind',
  'version',
  'disabled_at',
  'secret_created_at',
  'secret_expires_at',
  'former_secret_hash',
  'former_secret_expires_at',
  'origin',
  'registration_token',
]

const create = statement(
  'client.create',
  `INSERT INTO client (${columns.join(', ')}) VALUES ${places(columns.length, 1)}
   ON CONFLICT (id) DO NOTHING RETURNING id`,
)
const find = statement('client.find', `SELECT ${columns.join(', ')} FROM client WHERE id = ?`)
const sortColumns: Record<ClientSort, string> = {
  name: 'name',
  created: 'created_at',
  updated: 'updated_at',
}

export function openClients(knex: Knex, statements: Statements): Clients {
  const table = () => knex('client').select(columns)
  return {
    async create(row) {
      const values: Record<string, Value> = columnsOf(row)
      const made = await statements.run(
        create,
        columns.map((column) => values[column] ?? null),
      )
      return made.length === 1
    },
    async put(row) {
      const merged = ['metadata', 'secret_hash', 'updated_at', 'name', 'kind']
      await knex('client').insert(columnsOf(row)).onConflict('id').merge(merged)
    },
    async find(id) {
      const [row] = await statements.run(find, [id])
      return row && read(row)
    },
    async findMany(ids) {
      return ids.length === 0 ? [] : (await table().whereIn('id', ids)).map(read)
    },
    async list() {
      return (await table().orderBy(['created_at', 'id'])).map(read)
    },
    async search(wanted) {
      const { text, kind, state, expiresBefore, owner, sort, descending, after, limit } = wanted
      const column = sortColumns[sort]
      const order = descending ? 'desc' : 'asc'
      const query = table().orderBy([
        { column, order },
        { column: 'id', order },
      ])
      if (text) query.where((some) => void textFits(knex, some, text))
      if (kind) query.where({ kind })
      if (state === 'disabled') query.whereNotNull('disabled_at')
      else if (state) query.whereNull('disabled_at')
      if (state === 'expiring') query.where('secret_expires_at', '<', expiresBefore)
      if (owner !== undefined) {
        query.whereIn('id', knex('client_owner').select('client_id').where({ account_id: owner }))
      }
      if (after) query.whereRaw(`(${column}, id) ${descending ? '<' : '>'} (?, ?)`, after)
      return (await query.limit(limit)).map(read)
    },
    async change(row) {
      const changed = { ...row, version: row.version + 1 }
      // The token it shows itself with is exchanged beside this: see registrations.
      const { id: _, created_at: __, registration_token: ___, ...changes } = columnsOf(changed)
      const where = { id: row.id, version: row.version }
      return (await knex('client').where(where).update(changes)) === 1 ? changed : undefined
    },
    async nameOld() {
      const rows = await knex('client').select('id', 'metadata').whereNull('name').limit(1_000)
      for (const { id, metadata } of rows) {
        const parsed = JSON.parse(metadata)
        const changes = { name: nameOf(id, parsed), kind: kindOf(parsed) }
        await knex('client').where({ id }).whereNull('name').update(changes)
      }
      return rows.length
    },
    async secretsExpiring(from, until) {
      const rows = await table()
        .whereNull('disabled_at')
        .where('secret_expires_at', '>', from)
        .where('secret_expires_at', '<=', until)
        .orderBy('secret_expires_at')
      return rows.map(read)
    },
    async remove(id) {
      return (await knex('client').where({ id }).delete()) === 1
    },
  }
}

/** PostgreSQL reads no JSON in which half a character or NUL is escaped, wherever in it: one such app would end every search. */
const readable = "regexp_replace(metadata, '\\\\u[0-9a-f]{4}', '\\\\n', 'g')"

function textFits(knex: Knex, some: Knex.QueryBuilder, text: string) {
  const part = text.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')
  const uris =
    knex.client.driverName === 'pg'
      ? `json_array_elements_text(${readable}::json -> 'redirect_uris') AS uri (value)`
      : "json_each(metadata, '$.redirect_uris') AS uri"
  return some
    .whereRaw("lower(name) LIKE ? ESCAPE '\\'", [`%${part}%`])
    .orWhereRaw("lower(id) LIKE ? ESCAPE '\\'", [`${part}%`])
    .orWhereRaw(`EXISTS (SELECT 1 FROM ${uris} WHERE lower(uri.value) LIKE ? ESCAPE '\\')`, [
      `%://%${part}%`,
    ])
}

const columnsOf = (row: NewClientRow) => ({
  id: row.id,
  metadata: JSON.stringify(row.metadata),
  secret_hash: row.secretHash ?? null,
  created_at: row.createdAt,
  updated_at: row.updatedAt,
  name: row.name ?? nameOf(row.id, row.metadata),
  kind: row.kind ?? kindOf(row.metadata),
  version: row.version ?? 1,
  disabled_at: row.disabledAt ?? null,
  secret_created_at: row.secretCreatedAt ?? null,
  secret_expires_at: row.secretExpiresAt ?? null,
  former_secret_hash: row.formerSecretHash ?? null,
  former_secret_expires_at: row.formerSecretExpiresAt ?? null,
  origin: row.origin ?? null,
  registration_token: row.registrationToken ?? null,
})

function read(row: Row): ClientRow {
  const id = String(row.id)
  const metadata = JSON.parse(String(row.metadata))
  const found: ClientRow = {
    id,
    metadata,
    // A release that did not know them leaves them empty.
    name: typeof row.name === 'string' ? row.name : nameOf(id, metadata),
    kind: typeof row.kind === 'string' ? (row.kind as ClientKind) : kindOf(metadata),
    version: Number(row.version),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  }
  if (row.secret_hash !== null) found.secretHash = String(row.secret_hash)
  if (row.secret_created_at !== null) found.secretCreatedAt = Number(row.secret_created_at)
  if (row.secret_expires_at !== null) found.secretExpiresAt = Number(row.secret_expires_at)
  if (row.former_secret_hash !== null) found.formerSecretHash = String(row.former_secret_hash)
  if (row.former_secret_expires_at !== null) {
    found.formerSecretExpiresAt = Number(row.former_secret_expires_at)
  }
  if (row.disabled_at !== null) found.disabledAt = Number(row.disabled_at)
  if (row.origin !== null) found.origin = 'dynamic'
  if (row.registration_token !== null) found.registrationToken = String(row.registration_token)
  return found
}

type Metadata = ClientRow['metadata']

const nameOf = (id: string, { client_name: name }: Metadata): string =>
  typeof name === 'string' && name !== '' ? name.slice(0, 200) : id

/** Where nobody said: as its registration looks. */
export function kindOf(metadata: Metadata): ClientKind {
  const list = (value: unknown) => (Array.isArray(value) ? value : [])
  if (metadata.application_type === 'native') return 'native'
  if (
    list(metadata.redirect_uris).length === 0 &&
    list(metadata.grant_types).includes('client_credentials')
  ) {
    return 'machine'
  }
  return metadata.token_endpoint_auth_method === 'none' ? 'spa' : 'web'
}
