/** Who a person is here. */
import type { Knex } from 'knex'
import { eachEngine, type Row, type Statements, statement, textsIn } from './statements.ts'

export const accountStatuses = ['pending', 'active', 'suspended', 'closed'] as const
export type AccountStatus = (typeof accountStatuses)[number]

/** One profile attribute, who vouched for it (`self`, `staff` or a connector's id) and when. */
export type Attribute = { value: string; by: string; at: number; verified?: boolean }

export type AccountRow = {
  /** A UUID, never issued again: the public `sub`. */
  id: string
  kind: string
  status: AccountStatus
  /** Keyed by OIDC claim name: name, given_name, email … */
  profile: Record<string, Attribute>
  /** The newest version agreed to of each terms. */
  agreed: Record<string, string>
  /** When the member closed it: what it holds is erased some days later. */
  closedAt?: number
  createdAt: number
  updatedAt: number
}

/** A new one agreed to nothing yet. */
export type NewAccountRow = Omit<AccountRow, 'agreed' | 'closedAt'>

export type Accounts = {
  create(row: NewAccountRow): Promise<void>
  find(id: string): Promise<AccountRow | undefined>
  /** Those of them that exist, in no order. */
  findMany(ids: string[]): Promise<AccountRow[]>
  /** Finds it and keeps others from writing it until the transaction ends. Call it inside one. */
  lock(id: string): Promise<AccountRow | undefined>
  setProfile(id: string, profile: AccountRow['profile'], at: number): Promise<void>
  setKind(id: string, kind: string, at: number): Promise<void>
  /** The member closes it. True for exactly one caller; false also if it was not active. */
  close(id: string, at: number): Promise<boolean>
  /** Active again, if it is still as it was closed then. True for exactly one caller. */
  reopen(id: string, closedAt: number, at: number): Promise<boolean>
  /** Nobody signs in to it any more; it is not closed. True for exactly one caller; false also if it was not active. */
  suspend(id: string, at: number): Promise<boolean>
  /** Active again. True for exactly one caller; false also if it was not suspended. */
  reactivate(id: string, at: number): Promise<boolean>
  /** Ids of those their members closed before, the longest ago first, and not erased yet. */
  closedBefore(before: number, limit: number): Promise<string[]>
}

/** What makes an account row, in every statement that reads one. */
export const accountColumns = [
  'id',
  'kind',
  'status',
  'profile',
  'agreed',
  'closed_at',
  'created_at',
  'updated_at',
]
const columns = accountColumns.join(', ')
const find = statement('account.find', `SELECT ${columns} FROM account WHERE id = ?`)
const findMany = eachEngine(
  'account.find-many',
  (engine) => `SELECT ${columns} FROM account WHERE id IN (${textsIn[engine]})`,
)
const lock = statement('account.lock', {
  // A transaction holds SQLite's only write lock.
  sqlite: `SELECT ${columns} FROM account WHERE id = ?`,
  postgres: `SELECT ${columns} FROM account WHERE id = ? FOR UPDATE`,
})
const close = statement(
  'account.close',
  `UPDATE account SET status = 'closed', closed_at = ?, updated_at = ?
   WHERE id = ? AND status = 'active' RETURNING id`,
)
const reopen = statement(
  'account.reopen',
  `UPDATE account SET status = 'active', closed_at = NULL, updated_at = ?
   WHERE id = ? AND status = 'closed' AND closed_at = ? RETURNING id`,
)
const suspend = statement(
  'account.suspend',
  `UPDATE account SET status = 'suspended', updated_at = ?
   WHERE id = ? AND status = 'active' RETURNING id`,
)
const reactivate = statement(
  'account.reactivate',
  `UPDATE account SET status = 'active', updated_at = ?
   WHERE id = ? AND status = 'suspended' RETURNING id`,
)
const closedBefore = statement(
  'account.closed-before',
  `SELECT id FROM account WHERE closed_at IS NOT NULL AND closed_at < ? AND status = 'closed'
   ORDER BY closed_at LIMIT ?`,
)

/** A row of the table as the rest of the program sees it. */
export const readAccount = (row: Row): AccountRow => ({
  id: String(row.id),
  kind: String(row.kind),
  status: row.status as AccountStatus,
  profile: JSON.parse(String(row.profile)),
  agreed: typeof row.agreed === 'string' ? JSON.parse(row.agreed) : {},
  ...(row.closed_at === null ? {} : { closedAt: Number(row.closed_at) }),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
})

export function openAccounts(knex: Knex, statements: Statements): Accounts {
  return {
    async create(row) {
      await knex('account').insert({
        id: row.id,
        kind: row.kind,
        status: row.status,
        profile: JSON.stringify(row.profile),
        created_at: row.createdAt,
        updated_at: row.updatedAt,
      })
    },
    async find(id) {
      const [row] = await statements.run(find, [id])
      return row && readAccount(row)
    },
    async findMany(ids) {
      if (ids.length === 0) return []
      return (await statements.run(findMany, [JSON.stringify(ids)])).map(readAccount)
    },
    async lock(id) {
      const [row] = await statements.run(lock, [id])
      return row && readAccount(row)
    },
    async setKind(id, kind, at) {
      await knex('account').where({ id }).update({ kind, updated_at: at })
    },
    async setProfile(id, profile, at) {
      await knex('account')
        .where({ id })
        .update({ profile: JSON.stringify(profile), updated_at: at })
    },
    async close(id, at) {
      return (await statements.run(close, [at, at, id])).length === 1
    },
    async reopen(id, closedAt, at) {
      return (await statements.run(reopen, [at, id, closedAt])).length === 1
    },
    async suspend(id, at) {
      return (await statements.run(suspend, [at, id])).length === 1
    },
    async reactivate(id, at) {
      return (await statements.run(reactivate, [at, id])).length === 1
    },
    async closedBefore(before, limit) {
      return (await statements.run(closedBefore, [before, limit])).map(({ id }) => String(id))
    },
  }
}
