/** Where a member's own mails go: the address she keeps beside the account, several accounts may share one. */
import { eachEngine, type Row, type Statements, statement, textsIn } from './statements.ts'

export type RecoveryAddressRow = {
  accountId: string
  /** Normalised by the caller: lower case, trimmed. */
  value: string
  /** When a link sent there was used. */
  confirmedAt?: number
  createdAt: number
}

export type RecoveryAddresses = {
  /** In place of the one before. */
  put(row: RecoveryAddressRow): Promise<void>
  find(accountId: string): Promise<RecoveryAddressRow | undefined>
  /** Of those of these accounts that keep one. */
  ofAccounts(accountIds: string[]): Promise<RecoveryAddressRow[]>
  /** Of all accounts that keep this address. */
  withValue(value: string): Promise<RecoveryAddressRow[]>
  /** A link sent to this very address was used. False if she keeps another one by now. */
  confirm(accountId: string, value: string, at: number): Promise<boolean>
}

const columns = 'account_id, value, confirmed_at, created_at'
const put = statement(
  'recovery-address.put',
  `INSERT INTO recovery_address (${columns}) VALUES (?, ?, ?, ?)
   ON CONFLICT (account_id) DO UPDATE SET value = excluded.value, confirmed_at = excluded.confirmed_at,
     created_at = excluded.created_at`,
)
const find = statement(
  'recovery-address.find',
  `SELECT ${columns} FROM recovery_address WHERE account_id = ?`,
)
const ofAccounts = eachEngine(
  'recovery-address.of-accounts',
  (engine) => `SELECT ${columns} FROM recovery_address WHERE account_id IN (${textsIn[engine]})`,
)
const withValue = statement(
  'recovery-address.with-value',
  `SELECT ${columns} FROM recovery_address WHERE value = ? ORDER BY created_at, account_id`,
)
const confirm = statement(
  'recovery-address.confirm',
  'UPDATE recovery_address SET confirmed_at = ? WHERE account_id = ? AND value = ? RETURNING account_id',
)

export function openRecoveryAddresses(statements: Statements): RecoveryAddresses {
  return {
    async put({ accountId, value, confirmedAt = null, createdAt }) {
      await statements.run(put, [accountId, value, confirmedAt, createdAt])
    },
    async find(accountId) {
      const [row] = await statements.run(find, [accountId])
      return row && read(row)
    },
    async ofAccounts(accountIds) {
      if (accountIds.length === 0) return []
      return (await statements.run(ofAccounts, [JSON.stringify(accountIds)])).map(read)
    },
    async withValue(value) {
      return (await statements.run(withValue, [value])).map(read)
    },
    async confirm(accountId, value, at) {
      return (await statements.run(confirm, [at, accountId, value])).length === 1
    },
  }
}

const read = (row: Row): RecoveryAddressRow => ({
  accountId: String(row.account_id),
  value: String(row.value),
  ...(row.confirmed_at === null ? {} : { confirmedAt: Number(row.confirmed_at) }),
  createdAt: Number(row.created_at),
})
