/** Links from an upstream's (issuer, subject) to one account. */

import type { Knex } from 'knex'
import { sha256 } from '#lib/crypto.ts'
import { type AccountRow, accountColumns, readAccount } from './accounts.ts'
import { type Row, type Statements, statement } from './statements.ts'

export type IdentityRow = {
  id: string
  accountId: string
  connector: string
  issuer: string
  subject: string
  openid2Ids: string[]
  raw: Record<string, unknown>
  /** Of everything that was read and when, less what differs each time. */
  digest?: string
  /** A keyed hash of what differs when the login is somebody else's. */
  fingerprint?: string
  /** What could not be read of it, by name. */
  unread?: string[]
  createdAt: number
  readAt: number
}

type Seen = Pick<IdentityRow, 'id' | 'accountId'>
type Key = Pick<IdentityRow, 'issuer' | 'subject'>
type Reading = Pick<
  IdentityRow,
  'openid2Ids' | 'raw' | 'readAt' | 'digest' | 'fingerprint' | 'unread'
>

/** Thrown inside a transaction, which is lost with it: somebody linked this (issuer, subject) at the same moment. */
export class LinkedMeanwhileError extends Error {
  override name = 'LinkedMeanwhileError'
}

export type Identities = {
  /** False if this (issuer, subject) is linked already: somebody was faster. */
  link(row: IdentityRow): Promise<boolean>
  /** The link with the account it leads to. */
  find(
    issuer: string,
    subject: string,
  ): Promise<{ identity: IdentityRow; account: AccountRow } | undefined>
  /** Oldest first. */
  ofAccount(accountId: string): Promise<IdentityRow[]>
  /** The upstream said what it had said before. False if it leads to that account no more. */
  confirm(seen: Seen, readAt: number, digest: string): Promise<boolean>
  /** It said something else. False if it leads to that account no more, or was given another fingerprint. */
  refresh(seen: Seen & Pick<IdentityRow, 'fingerprint'>, changes: Reading): Promise<boolean>
  /** What this account's upstreams said is not remembered as said: the next time all of it is taken over. */
  forgetReadings(accountId: string): Promise<void>
  /**
   * The same person comes under another key from now on. True for exactly one caller; false also if it was unlinked or
   * is another account's, or the new key is linked already. The key before is remembered. Throws LinkedMeanwhileError.
   */
  rekey(seen: Key & Seen, changes: Key & Reading & Pick<IdentityRow, 'connector'>): Promise<boolean>
  /** The link that had this key before it was re-keyed, with the account it leads to. */
  findByFormer(
    issuer: string,
    subject: string,
  ): Promise<{ identity: IdentityRow; account: AccountRow } | undefined>
  /** The next sign-in sets another one. False if there is no such link. */
  dropFingerprint(id: string): Promise<boolean>
  get(id: string): Promise<IdentityRow | undefined>
  /** Those of whose last answer something could not be read, the newest first. */
  unread(limit: number): Promise<IdentityRow[]>
  /** What it vouched for of schools goes with it. False if it is not this account's. */
  unlink(id: string, accountId: string): Promise<boolean>
}

const findLink = statement(
  'identity.find',
  `SELECT i.id, i.account_id, i.connector, i.issuer, i.subject, i.openid2_ids, i.raw, i.digest,
     i.fingerprint, i.unread, i.created_at, i.read_at, ${accountColumns.map((column) => `a.${column} AS a_${column}`).join(', ')}
   FROM identity i JOIN account a ON a.id = i.account_id
   WHERE i.issuer = ? AND i.subject = ?`,
)
const findByFormer = statement(
  'identity.find-by-former',
  `SELECT i.issuer, i.subject FROM former_identity f JOIN identity i ON i.id = f.identity_id WHERE f.id = ?`,
)
const keepFormer = statement(
  'identity.keep-former',
  `INSERT INTO former_identity (id, identity_id) VALUES (?, ?)
   ON CONFLICT (id) DO UPDATE SET identity_id = excluded.identity_id`,
)
const confirm = statement(
  'identity.confirm',
  'UPDATE identity SET read_at = ?, digest = ? WHERE id = ? AND account_id = ? RETURNING id',
)
const forgetReadings = statement(
  'identity.forget-readings',
  'UPDATE identity SET digest = NULL WHERE account_id = ?',
)

const formerId = ({ issuer, subject }: Key) => sha256(JSON.stringify([issuer, subject]))

export function openIdentities(knex: Knex, statements: Statements): Identities {
  const readingColumns = (reading: Reading) => ({
    openid2_ids: JSON.stringify(reading.openid2Ids),
    raw: JSON.stringify(reading.raw),
    digest: reading.digest ?? null,
    fingerprint: reading.fingerprint ?? null,
    unread: reading.unread ? JSON.stringify(reading.unread) : null,
    read_at: reading.readAt,
  })
  const find = async (issuer: string, subject: string) => {
    const [row] = await statements.run(findLink, [issuer, subject])
    if (!row) return undefined
    const account = Object.fromEntries(accountColumns.map((one) => [one, row[`a_${one}`]]))
    return { identity: read(row), account: readAccount(account) }
  }
  return {
    find,
    async findByFormer(issuer, subject) {
      const [row] = await statements.run(findByFormer, [formerId({ issuer, subject })])
      return row && find(String(row.issuer), String(row.subject))
    },
    async link(row) {
      const made = await knex('identity')
        .insert({
          id: row.id,
          account_id: row.accountId,
          connector: row.connector,
          issuer: row.issuer,
          subject: row.subject,
          created_at: row.createdAt,
          ...readingColumns(row),
        })
        .onConflict(['issuer', 'subject'])
        .ignore()
        .returning('id')
      return made.length === 1
    },
    async ofAccount(accountId) {
      const rows = await knex('identity')
        .where({ account_id: accountId })
        .orderBy(['created_at', 'id'])
      return rows.map(read)
    },
    async confirm({ id, accountId }, readAt, digest) {
      return (await statements.run(confirm, [readAt, digest, id, accountId])).length === 1
    },
    async refresh({ id, accountId, fingerprint = null }, changes) {
      const changed = await knex('identity')
        .where({ id, account_id: accountId, fingerprint })
        .update(readingColumns(changes))
      return changed === 1
    },
    async rekey({ id, accountId, ...before }, { connector, issuer, subject, ...reading }) {
      const key = { issuer, subject }
      try {
        const changed = await knex('identity')
          .where({ id, account_id: accountId, issuer: before.issuer, subject: before.subject })
          .whereNotExists(knex('identity as other').select('other.id').where(key))
          .update({ connector, ...key, ...readingColumns(reading) })
        if (changed === 1) await statements.run(keepFormer, [formerId(before), id])
        return changed === 1
      } catch (error) {
        // PostgreSQL looked before the other one was through (unique_violation).
        if (error instanceof Error && 'code' in error && error.code === '23505')
          throw new LinkedMeanwhileError('this identity has been linked just now', { cause: error })
        throw error
      }
    },
    async forgetReadings(accountId) {
      await statements.run(forgetReadings, [accountId])
    },
    async dropFingerprint(id) {
      // Without a digest the next answer is written in full, with its fingerprint.
      const dropped = { fingerprint: null, digest: null }
      return (await knex('identity').where({ id }).update(dropped)) === 1
    },
    async get(id) {
      const row = await knex('identity').where({ id }).first()
      return row && read(row)
    },
    async unread(limit) {
      const rows = await knex('identity')
        .whereNotNull('unread')
        .orderBy([{ column: 'read_at', order: 'desc' }, 'id'])
        .limit(limit)
      return rows.map(read)
    },
    async unlink(id, accountId) {
      return (await knex('identity').where({ id, account_id: accountId }).delete()) === 1
    },
  }
}

const read = (row: Row): IdentityRow => ({
  id: String(row.id),
  accountId: String(row.account_id),
  connector: String(row.connector),
  issuer: String(row.issuer),
  subject: String(row.subject),
  openid2Ids: JSON.parse(String(row.openid2_ids)),
  raw: JSON.parse(String(row.raw)),
  ...(typeof row.digest === 'string' ? { digest: row.digest } : {}),
  ...(typeof row.fingerprint === 'string' ? { fingerprint: row.fingerprint } : {}),
  ...(typeof row.unread === 'string' ? { unread: JSON.parse(row.unread) } : {}),
  createdAt: Number(row.created_at),
  readAt: Number(row.read_at),
})
