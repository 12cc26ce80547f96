/** Links from an upstream's (issuer, subject) to one account. */
import type { Knex } from 'knex'
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
  createdAt: number
  readAt: number
}

type Reading = Pick<IdentityRow, 'openid2Ids' | 'raw' | 'readAt' | 'digest'>

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
  /** The upstream said what it had said before. False if it was unlinked meanwhile. */
  confirm(id: string, readAt: number, digest: string): Promise<boolean>
  /** It said something else. False if it was unlinked meanwhile. */
  refresh(id: string, changes: Reading): Promise<boolean>
  /** What it vouched for of schools goes with it. False if it is not this account's. */
  unlink(id: string, accountId: string): Promise<boolean>
}

const find = statement(
  'identity.find',
  `SELECT i.id, i.account_id, i.connector, i.issuer, i.subject, i.openid2_ids, i.raw, i.digest,
     i.created_at, i.read_at, ${accountColumns.map((column) => `a.${column} AS a_${column}`).join(', ')}
   FROM identity i JOIN account a ON a.id = i.account_id
   WHERE i.issuer = ? AND i.subject = ?`,
)
const confirm = statement(
  'identity.confirm',
  'UPDATE identity SET read_at = ?, digest = ? WHERE id = ? RETURNING id',
)

export function openIdentities(knex: Knex, statements: Statements): Identities {
  const readingColumns = ({ openid2Ids, raw, readAt, digest }: Reading) => ({
    openid2_ids: JSON.stringify(openid2Ids),
    raw: JSON.stringify(raw),
    digest: digest ?? null,
    read_at: readAt,
  })
  return {
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
    async find(issuer, subject) {
      const [row] = await statements.run(find, [issuer, subject])
      if (!row) return undefined
      const account = Object.fromEntries(accountColumns.map((one) => [one, row[`a_${one}`]]))
      return { identity: read(row), account: readAccount(account) }
    },
    async ofAccount(accountId) {
      const rows = await knex('identity')
        .where({ account_id: accountId })
        .orderBy(['created_at', 'id'])
      return rows.map(read)
    },
    async confirm(id, readAt, digest) {
      return (await statements.run(confirm, [readAt, digest, id])).length === 1
    },
    async refresh(id, changes) {
      return (await knex('identity').where({ id }).update(readingColumns(changes))) === 1
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
  createdAt: Number(row.created_at),
  readAt: Number(row.read_at),
})
