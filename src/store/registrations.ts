/** Programs that register themselves: the tokens they come with, and what is kept of them beside the app itself. */
import { type Row, type Statements, statement } from './statements.ts'

export type InitialTokenRow = {
  id: string
  /** SHA-256 of the token. */
  digest: string
  label: string
  /** What may be registered with it. */
  policy: Record<string, unknown>
  usesLeft: number
  used: number
  createdAt: number
  createdBy: string
  expiresAt: number
  revokedAt?: number
}

/** What an app that registered itself is held to, and by which token it shows that it is itself. */
export type RegistrationRow = { clientId: string; policy: Record<string, unknown> }

/** `open`: another app may be registered with it. */
export const initialTokenStates = ['open', 'used-up', 'expired', 'revoked'] as const
export type InitialTokenState = (typeof initialTokenStates)[number]

/** Where in a list a token stands. */
export type InitialTokenPlace = { createdAt: number; id: string }

export type Registrations = {
  makeToken(row: InitialTokenRow): Promise<void>
  findToken(id: string): Promise<InitialTokenRow | undefined>
  /** Whatever has become of it. */
  findTokenByDigest(digest: string): Promise<InitialTokenRow | undefined>
  /** Newest first; those after `after` in that order, if given, and that are in this state at that moment, if given. */
  listTokens(
    after: InitialTokenPlace | undefined,
    limit: number,
    only?: { state: InitialTokenState; at: number },
  ): Promise<InitialTokenRow[]>
  /** True for exactly one caller; false also if there is none. */
  revokeToken(id: string, at: number): Promise<boolean>
  /** Uses it once. However many race, no more get true than uses are left; false also once it expired or was revoked. */
  useToken(digest: string, at: number): Promise<boolean>
  /** From now on the app is held to this. */
  hold(clientId: string, policy: Record<string, unknown>): Promise<void>
  /** What it is held to; undefined for an app staff made. */
  policyOf(clientId: string): Promise<Record<string, unknown> | undefined>
  /** In place of the registration access token before. False if there is no such app. */
  setAccessToken(clientId: string, digest: string): Promise<boolean>
  /** True for exactly one caller: whoever used it first has used it up. */
  dropAccessToken(digest: string): Promise<boolean>
  /** Whose registration access token it is. */
  findByAccessToken(digest: string): Promise<RegistrationRow | undefined>
}

const columns =
  'id, digest, label, policy, uses_left, used, created_at, created_by, expires_at, revoked_at'
const make = statement(
  'initial-token.make',
  `INSERT INTO initial_token (${columns}) VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, NULL)`,
)
const find = statement('initial-token.find', `SELECT ${columns} FROM initial_token WHERE id = ?`)
const byDigest = statement(
  'initial-token.by-digest',
  `SELECT ${columns} FROM initial_token WHERE digest = ?`,
)
const list = statement(
  'initial-token.list',
  `SELECT ${columns} FROM initial_token WHERE (created_at, id) < (?, ?)
   ORDER BY created_at DESC, id DESC LIMIT ?`,
)
const listOfState = statement(
  'initial-token.list-of-state',
  `SELECT ${columns} FROM initial_token WHERE (created_at, id) < (?, ?) AND CASE
     WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN uses_left <= 0 THEN 'used-up'
     WHEN expires_at <= ? THEN 'expired' ELSE 'open' END = ?
   ORDER BY created_at DESC, id DESC LIMIT ?`,
)
const revoke = statement(
  'initial-token.revoke',
  'UPDATE initial_token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING id',
)
const use = statement(
  'initial-token.use',
  `UPDATE initial_token SET uses_left = uses_left - 1, used = used + 1
   WHERE digest = ? AND uses_left > 0 AND expires_at > ? AND revoked_at IS NULL RETURNING id`,
)
const hold = statement('client.hold', 'UPDATE client SET registration_policy = ? WHERE id = ?')
const policyOf = statement(
  'client.registration-policy',
  'SELECT registration_policy FROM client WHERE id = ?',
)
const setAccess = statement(
  'client.set-registration-token',
  'UPDATE client SET registration_token = ? WHERE id = ? RETURNING id',
)
const dropAccess = statement(
  'client.drop-registration-token',
  'UPDATE client SET registration_token = NULL WHERE registration_token = ? RETURNING id',
)
const byAccess = statement(
  'client.by-registration-token',
  'SELECT id, registration_policy FROM client WHERE registration_token = ?',
)

export function openRegistrations(statements: Statements): Registrations {
  const one = async (...args: Parameters<Statements['run']>) => (await statements.run(...args))[0]
  const changed = async (...args: Parameters<Statements['run']>) =>
    (await statements.run(...args)).length === 1
  const readOne = (row: Row | undefined) => row && read(row)

  return {
    async makeToken({ id, digest, label, policy, usesLeft, createdAt, createdBy, expiresAt }) {
      const values = [id, digest, label, JSON.stringify(policy), usesLeft]
      await statements.run(make, [...values, createdAt, createdBy, expiresAt])
    },
    findToken: async (id) => readOne(await one(find, [id])),
    findTokenByDigest: async (digest) => readOne(await one(byDigest, [digest])),
    async listTokens(after, limit, only) {
      const { createdAt, id } = after ?? { createdAt: Number.MAX_SAFE_INTEGER, id: '' }
      const rows = only
        ? await statements.run(listOfState, [createdAt, id, only.at, only.state, limit])
        : await statements.run(list, [createdAt, id, limit])
      return rows.map(read)
    },
    revokeToken: (id, at) => changed(revoke, [at, id]),
    useToken: (digest, at) => changed(use, [digest, at]),
    async hold(clientId, policy) {
      await statements.run(hold, [JSON.stringify(policy), clientId])
    },
    async policyOf(clientId) {
      const policy = (await one(policyOf, [clientId]))?.registration_policy
      return typeof policy === 'string' ? JSON.parse(policy) : undefined
    },
    setAccessToken: (clientId, digest) => changed(setAccess, [digest, clientId]),
    dropAccessToken: (digest) => changed(dropAccess, [digest]),
    async findByAccessToken(digest) {
      const row = await one(byAccess, [digest])
      if (!row) return undefined
      return {
        clientId: String(row.id),
        policy: JSON.parse(String(row.registration_policy ?? '{}')),
      }
    },
  }
}

const read = (row: Row): InitialTokenRow => ({
  id: String(row.id),
  digest: String(row.digest),
  label: String(row.label),
  policy: JSON.parse(String(row.policy)),
  usesLeft: Number(row.uses_left),
  used: Number(row.used),
  createdAt: Number(row.created_at),
  createdBy: String(row.created_by),
  expiresAt: Number(row.expires_at),
  ...(row.revoked_at === null ? {} : { revokedAt: Number(row.revoked_at) }),
})
