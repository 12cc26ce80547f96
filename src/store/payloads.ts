/** What node-oidc-provider keeps: one row per artefact. */
import { type AccountRow, accountColumns, readAccount } from './accounts.ts'
import {
  inParts,
  places,
  type Row,
  type Statements,
  sizedStatements,
  statement,
  textsIn,
  type Value,
} from './statements.ts'

export type Payload = Record<string, unknown>

export type PayloadRow = {
  id: string
  model: string
  payload: Payload
  grantId?: string
  uid?: string
  userCode?: string
  accountId?: string
  clientId?: string
  /** Row id of the grant it was issued under, and `uid` of the session: they are read together. */
  grantKey?: string
  sessionUid?: string
  /** Seconds since 1970; absent: never. */
  expiresAt?: number
}

export type StoredPayload = { id: string; payload: Payload; consumedAt?: number }

/** A row with what it stands on, where it was written down what that is. */
export type Found = StoredPayload & {
  grant?: StoredPayload
  session?: StoredPayload
  account?: AccountRow
}

export type Payloads = {
  /**
   * Creates or replaces rows in one statement. A row once consumed stays consumed. Of a session, what other
   * requests added to its `authorizations` meanwhile stays: two apps that sign in through one session at the same
   * moment each keep their entry. A buried session stays buried.
   */
  save(rows: PayloadRow[]): Promise<void>
  /**
   * Ends a row for good: what it held is gone, and nobody can save over what is left of it.
   * True for exactly one caller.
   */
  bury(id: string, at: number): Promise<boolean>
  /** The same from outside: what a request finds when it wants to go on with what it read before. */
  end(id: string, at: number): Promise<boolean>
  /** Replaces a row that is there and not consumed: what ended meanwhile is not revived. False if so. */
  replace(row: PayloadRow): Promise<boolean>
  /** Those of the rows that are there, each with its company, in one statement. */
  find(ids: string[]): Promise<Found[]>
  findByUid(uid: string): Promise<StoredPayload | undefined>
  findByUserCode(userCode: string): Promise<StoredPayload | undefined>
  /** A person's sessions that have not ended. */
  sessionsOf(accountId: string, at: number): Promise<StoredPayload[]>
  /** The same, and nobody else writes them until the transaction ends. Call it inside one. */
  lockSessionsOf(accountId: string, at: number): Promise<StoredPayload[]>
  /** Makes a row only if there is none. True for exactly one caller, however many race. */
  claim(row: PayloadRow): Promise<boolean>
  /** Marks the row as used. True for exactly one caller, however many race; false also if it is gone. */
  consume(id: string, at: number): Promise<boolean>
  destroy(id: string): Promise<void>
  /** Ends what was issued under a grant: rows of one model, or all with the grant itself. */
  destroyGrant(grantId: string, model?: string): Promise<void>
  /** Ends every grant of a person with all that was issued under it. */
  destroyGrantsOf(accountId: string): Promise<void>
  /** Ends what one app may do on a person's behalf: its grants with all that was issued under them. */
  destroyGrantsTo(accountId: string, clientId: string): Promise<void>
  /** The apps that may do something on a person's behalf. */
  clientsGranted(accountId: string, at: number): Promise<string[]>
  /** Forgets sign-ins of a person that no app has gone on with yet. */
  destroyAnswersOf(accountId: string): Promise<void>
  /** People who granted a client something, in order: the first so many. */
  grantedBy(clientId: string, limit: number): Promise<string[]>
  /** Where these people are signed in to a client, session by session. */
  signedInTo(
    clientId: string,
    accountIds: string[],
    at: number,
  ): Promise<{ accountId: string; sid: string }[]>
  /** Ends what these people granted a client, with all that was issued under it. */
  destroyGrantsBetween(clientId: string, accountIds: string[]): Promise<void>
  /** Ends what a client has without anybody's grant: so many rows at most. How many. */
  destroyUngranted(clientId: string, limit: number): Promise<number>
  /** Ends every grant to a client with all that was issued under it. */
  destroyGrantsOfClient(clientId: string): Promise<void>
  /** Ends a client's refresh tokens: all, or those that carry a scope. */
  destroyRefreshTokens(clientId: string, scope?: string): Promise<void>
}

const columns = [
  'id',
  'model',
  'payload',
  'grant_id',
  'uid',
  'user_code',
  'account_id',
  'client_id',
  'grant_key',
  'session_uid',
  'expires_at',
]
const values = (row: PayloadRow): Value[] => [
  row.id,
  row.model,
  JSON.stringify(row.payload),
  row.grantId ?? null,
  row.uid ?? null,
  row.userCode ?? null,
  row.accountId ?? null,
  row.clientId ?? null,
  row.grantKey ?? null,
  row.sessionUid ?? null,
  row.expiresAt ?? null,
]

const insert = (rows: number) =>
  `INSERT INTO oidc_payload (${columns.join(', ')}) VALUES ${places(columns.length, rows)}`

const joined = {
  sqlite: `json_set(excluded.payload, '$.authorizations', json_patch(
    coalesce(json_extract(oidc_payload.payload, '$.authorizations'), '{}'),
    coalesce(json_extract(excluded.payload, '$.authorizations'), '{}')))`,
  // As json_patch does for entries of entries: a key of either side stays, the newer value counts.
  postgres: `jsonb_set(excluded.payload::jsonb, '{authorizations}', (
    SELECT coalesce(jsonb_object_agg(client, coalesce(old.list -> client, '{}') || coalesce(new.list -> client, '{}')), '{}')
    FROM (SELECT coalesce(oidc_payload.payload::jsonb -> 'authorizations', '{}') AS list) AS old,
         (SELECT coalesce(excluded.payload::jsonb -> 'authorizations', '{}') AS list) AS new,
         jsonb_object_keys(old.list || new.list) AS client))::text`,
}

const saveStatement = (rows: number, engine: 'sqlite' | 'postgres') => {
  const changes = columns
    .filter((column) => column !== 'id' && column !== 'payload')
    .map((column) => `${column} = excluded.${column}`)
  return `${insert(rows)} ON CONFLICT (id) DO UPDATE SET ${changes.join(', ')},
    payload = CASE WHEN excluded.model = 'Session' THEN ${joined[engine]} ELSE excluded.payload END
    WHERE excluded.model <> 'Session' OR oidc_payload.consumed_at IS NULL`
}

/** One request leaves at most a few rows; more go in several statements of this many. */
const most = 4
const saves = sizedStatements('payload.save', most, (rows) => ({
  sqlite: saveStatement(rows, 'sqlite'),
  postgres: saveStatement(rows, 'postgres'),
}))
const finds = sizedStatements(
  'payload.find',
  most,
  (rows) =>
    `SELECT p.id, p.payload, p.consumed_at,
       g.id AS g_id, g.payload AS g_payload, g.consumed_at AS g_consumed_at,
       s.id AS s_id, s.payload AS s_payload, s.consumed_at AS s_consumed_at,
       ${accountColumns.map((column) => `a.${column} AS a_${column}`).join(', ')}
     FROM oidc_payload p
     LEFT JOIN oidc_payload g ON g.id = p.grant_key
     LEFT JOIN oidc_payload s ON s.uid = p.session_uid
     LEFT JOIN account a ON a.id = p.account_id
     WHERE p.id IN ${places(rows, 1)}`,
)

const byUid = statement(
  'payload.find-by-uid',
  'SELECT id, payload, consumed_at FROM oidc_payload WHERE uid = ?',
)
const byUserCode = statement(
  'payload.find-by-user-code',
  'SELECT id, payload, consumed_at FROM oidc_payload WHERE user_code = ?',
)
// Word for word what the partial index says: SQLite finds it by nothing else.
const ofAPerson = "account_id = ? AND model IN ('Session', 'Grant', 'Interaction')"
const sessionsOf = `SELECT id, payload, consumed_at FROM oidc_payload
  WHERE ${ofAPerson} AND model = 'Session' AND consumed_at IS NULL AND expires_at > ? ORDER BY id`
const ofAccount = statement('payload.sessions-of', sessionsOf)
const lockOfAccount = statement('payload.lock-sessions-of', {
  // A transaction holds SQLite's only write lock.
  sqlite: sessionsOf,
  postgres: `${sessionsOf} FOR UPDATE`,
})
const claim = statement('payload.claim', `${insert(1)} ON CONFLICT (id) DO NOTHING RETURNING id`)
const consume = statement(
  'payload.consume',
  'UPDATE oidc_payload SET consumed_at = ? WHERE id = ? AND consumed_at IS NULL RETURNING id',
)
const leave = (payload: string) =>
  `UPDATE oidc_payload SET payload = '${payload}', uid = NULL, account_id = NULL, consumed_at = ?
   WHERE id = ? AND consumed_at IS NULL RETURNING id`
const bury = statement('payload.bury', leave('{}'))
const end = statement('payload.end', leave('{"ended":true}'))
const replace = statement(
  'payload.replace',
  `UPDATE oidc_payload SET ${columns.map((column) => `${column} = ?`).join(', ')}
   WHERE id = ? AND consumed_at IS NULL RETURNING id`,
)
const destroy = statement('payload.destroy', 'DELETE FROM oidc_payload WHERE id = ?')
const destroyGrant = statement(
  'payload.destroy-grant',
  'DELETE FROM oidc_payload WHERE grant_id = ?',
)
const destroyOfGrant = statement(
  'payload.destroy-of-grant',
  'DELETE FROM oidc_payload WHERE grant_id = ? AND model = ?',
)
const destroyGrantsOf = statement(
  'payload.destroy-grants-of',
  `DELETE FROM oidc_payload WHERE grant_id IN (
     SELECT grant_id FROM oidc_payload WHERE ${ofAPerson} AND model = 'Grant')`,
)
const destroyGrantsTo = statement(
  'payload.destroy-grants-to',
  `DELETE FROM oidc_payload WHERE grant_id IN (
     SELECT grant_id FROM oidc_payload WHERE ${ofAPerson} AND model = 'Grant' AND client_id = ?)`,
)
const clientsGranted = statement(
  'payload.clients-granted',
  `SELECT DISTINCT client_id FROM oidc_payload
   WHERE ${ofAPerson} AND model = 'Grant' AND expires_at > ? AND client_id IS NOT NULL
   ORDER BY client_id`,
)
const destroyAnswersOf = statement(
  'payload.destroy-answers-of',
  `DELETE FROM oidc_payload WHERE ${ofAPerson} AND model = 'Interaction' AND consumed_at IS NULL`,
)
const sidAt = {
  sqlite: `json_extract(payload, '$.authorizations."' || ? || '".sid')`,
  postgres: "payload::jsonb -> 'authorizations' -> ?::text ->> 'sid'",
}
// As the partial index has it, too. What stands on a grant is found by that.
const ofAClient = "client_id = ? AND (model = 'Grant' OR grant_id IS NULL)"
const grantsOfAClient = `SELECT grant_id FROM oidc_payload WHERE ${ofAClient} AND model = 'Grant'`
/** As an array they are found first, and then the rows by the index, whatever PostgreSQL believes about the table. */
const among = (column: string, rows: { sqlite: string; postgres: string }) => ({
  sqlite: `${column} IN (${rows.sqlite})`,
  postgres: `${column} = ANY (ARRAY(${rows.postgres}))`,
})
const same = (text: string) => ({ sqlite: text, postgres: text })
const grantedBy = statement(
  'payload.granted-by',
  `SELECT DISTINCT account_id FROM oidc_payload
   WHERE ${ofAClient} AND model = 'Grant' AND account_id IS NOT NULL ORDER BY account_id LIMIT ?`,
)
// The list of models is said as the partial index has it: an engine uses it for nothing less.
const signedInTo = (sid: string, people: string) => `SELECT account_id, sid FROM (
    SELECT account_id, ${sid} AS sid FROM oidc_payload
    WHERE ${people}
      AND model IN ('Session', 'Grant', 'Interaction')
      AND model = 'Session' AND consumed_at IS NULL AND expires_at > ?) AS open
  WHERE sid IS NOT NULL`
const ofPeople = among('account_id', textsIn)
const signedIn = statement('payload.signed-in-to', {
  sqlite: signedInTo(sidAt.sqlite, ofPeople.sqlite),
  postgres: signedInTo(sidAt.postgres, ofPeople.postgres),
})
const deletion = (name: string, rows: { sqlite: string; postgres: string }, end = '') =>
  statement(name, {
    sqlite: `DELETE FROM oidc_payload WHERE ${rows.sqlite} ${end}`,
    postgres: `DELETE FROM oidc_payload WHERE ${rows.postgres} ${end}`,
  })
const destroyGrantsBetween = deletion(
  'payload.destroy-grants-between',
  among('grant_id', {
    sqlite: `${grantsOfAClient} AND ${ofPeople.sqlite}`,
    postgres: `${grantsOfAClient} AND ${ofPeople.postgres}`,
  }),
)
const destroyUngranted = deletion(
  'payload.destroy-ungranted',
  among('id', same(`SELECT id FROM oidc_payload WHERE ${ofAClient} LIMIT ?`)),
  'RETURNING id',
)
const destroyGrantsOfClient = deletion(
  'payload.destroy-grants-of-client',
  among('grant_id', same(grantsOfAClient)),
)
const destroyRefreshTokens = deletion(
  'payload.destroy-refresh-tokens',
  among('grant_id', same(grantsOfAClient)),
  "AND model = 'RefreshToken' AND payload LIKE ?",
)

export function openPayloads(statements: Statements): Payloads {
  const one = async (...args: Parameters<Statements['run']>) => (await statements.run(...args))[0]
  const several = async (...args: Parameters<Statements['run']>) =>
    (await statements.run(...args)).flatMap((row) => read(row) ?? [])
  const changed = async (...args: Parameters<Statements['run']>) =>
    (await statements.run(...args)).length === 1

  return {
    async save(rows) {
      // Always in the same order: two who lock the same rows must not wait for each other.
      const sorted = rows.toSorted((a, b) => (a.id < b.id ? -1 : 1))
      for (const { statement: save, part } of inParts(saves, sorted)) {
        await statements.run(save, part.flatMap(values))
      }
    },
    async find(ids) {
      const found: Found[] = []
      for (const { statement: find, part } of inParts(finds, ids)) {
        found.push(...(await statements.run(find, part)).map(readFound))
      }
      return found
    },
    findByUid: async (uid) => read(await one(byUid, [uid])),
    findByUserCode: async (userCode) => read(await one(byUserCode, [userCode])),
    sessionsOf: (accountId, at) => several(ofAccount, [accountId, at]),
    lockSessionsOf: (accountId, at) => several(lockOfAccount, [accountId, at]),
    claim: (row) => changed(claim, values(row)),
    consume: (id, at) => changed(consume, [at, id]),
    bury: (id, at) => changed(bury, [at, id]),
    end: (id, at) => changed(end, [at, id]),
    replace: (row) => changed(replace, [...values(row), row.id]),
    async destroy(id) {
      await statements.run(destroy, [id])
    },
    async destroyGrant(grantId, model) {
      if (model) await statements.run(destroyOfGrant, [grantId, model])
      else await statements.run(destroyGrant, [grantId])
    },
    async destroyGrantsOf(accountId) {
      await statements.run(destroyGrantsOf, [accountId])
    },
    async destroyGrantsTo(accountId, clientId) {
      await statements.run(destroyGrantsTo, [accountId, clientId])
    },
    async clientsGranted(accountId, at) {
      const rows = await statements.run(clientsGranted, [accountId, at])
      return rows.map((row) => String(row.client_id))
    },
    async destroyAnswersOf(accountId) {
      await statements.run(destroyAnswersOf, [accountId])
    },
    async grantedBy(clientId, limit) {
      const rows = await statements.run(grantedBy, [clientId, limit])
      return rows.map((row) => String(row.account_id))
    },
    async signedInTo(clientId, accountIds, at) {
      const rows = await statements.run(signedIn, [clientId, JSON.stringify(accountIds), at])
      return rows.map((row) => ({ accountId: String(row.account_id), sid: String(row.sid) }))
    },
    async destroyGrantsBetween(clientId, accountIds) {
      await statements.run(destroyGrantsBetween, [clientId, JSON.stringify(accountIds)])
    },
    destroyUngranted: async (clientId, limit) =>
      (await statements.run(destroyUngranted, [clientId, limit])).length,
    async destroyGrantsOfClient(clientId) {
      await statements.run(destroyGrantsOfClient, [clientId])
    },
    async destroyRefreshTokens(clientId, scope = '') {
      await statements.run(destroyRefreshTokens, [clientId, `%${scope}%`])
    },
  }
}

function read(row: Row | undefined, prefix = ''): StoredPayload | undefined {
  const id = row?.[`${prefix}id`]
  if (!row || typeof id !== 'string') return undefined
  const consumedAt = row[`${prefix}consumed_at`]
  return {
    id,
    payload: JSON.parse(String(row[`${prefix}payload`])),
    ...(consumedAt === null ? {} : { consumedAt: Number(consumedAt) }),
  }
}

function readFound(row: Row): Found {
  const found = read(row)
  if (!found) throw new Error('a payload without an id')
  return {
    ...found,
    grant: read(row, 'g_'),
    session: read(row, 's_'),
    account: row.a_id === null ? undefined : accountOf(row),
  }
}

const accountOf = (row: Row): AccountRow =>
  readAccount(Object.fromEntries(accountColumns.map((column) => [column, row[`a_${column}`]])))
