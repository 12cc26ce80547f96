/** National ids and their like: sealed by the caller, and found by a keyed hash. */
import { type Row, type Statements, statement } from './statements.ts'

export type PersonalNumberRow = {
  accountId: string
  /** `national-id`, `tax-id` … */
  type: string
  /** HMAC of the number. */
  digest: string
  sealed: string
  createdAt: number
}

export type PersonalNumbers = {
  put(row: PersonalNumberRow): Promise<void>
  ofAccount(accountId: string): Promise<PersonalNumberRow[]>
  remove(accountId: string, type: string): Promise<void>
}

const columns = 'account_id, type, digest, sealed, created_at'
const put = statement(
  'personal-number.put',
  `INSERT INTO personal_number (${columns}) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (account_id, type) DO UPDATE SET digest = excluded.digest, sealed = excluded.sealed,
     created_at = excluded.created_at`,
)
const ofAccount = statement(
  'personal-number.of-account',
  `SELECT ${columns} FROM personal_number WHERE account_id = ? ORDER BY type`,
)

const remove = statement(
  'personal-number.remove',
  'DELETE FROM personal_number WHERE account_id = ? AND type = ?',
)

export function openPersonalNumbers(statements: Statements): PersonalNumbers {
  return {
    async put({ accountId, type, digest, sealed, createdAt }) {
      await statements.run(put, [accountId, type, digest, sealed, createdAt])
    },
    async ofAccount(accountId) {
      return (await statements.run(ofAccount, [accountId])).map(read)
    },
    async remove(accountId, type) {
      await statements.run(remove, [accountId, type])
    },
  }
}

const read = (row: Row): PersonalNumberRow => ({
  accountId: String(row.account_id),
  type: String(row.type),
  digest: String(row.digest),
  sealed: String(row.sealed),
  createdAt: Number(row.created_at),
})
