/** Codes for whoever lost her second factor: kept by a keyed hash, each good once. */
import { places, type Statements, sizedStatements, statement } from './statements.ts'

export type RecoveryCodes = {
  /** In place of all there were. Call it inside a transaction. */
  replace(accountId: string, digests: string[], at: number): Promise<void>
  /** Uses it up. True for exactly one caller, however many race. */
  use(accountId: string, digest: string, at: number): Promise<boolean>
  /** How many are still good. */
  left(accountId: string): Promise<number>
  /** Another one each time they are replaced, and the same when one of them was used; empty where there are none. */
  edition(accountId: string): Promise<string>
  removeAll(accountId: string): Promise<void>
}

/** As many as anybody is given at once. */
const most = 10

const add = sizedStatements(
  'recovery-code.add',
  most,
  (rows) => `INSERT INTO recovery_code (account_id, digest, created_at) VALUES ${places(3, rows)}`,
)
const use = statement(
  'recovery-code.use',
  `UPDATE recovery_code SET used_at = ? WHERE account_id = ? AND digest = ? AND used_at IS NULL
   RETURNING digest`,
)
const left = statement(
  'recovery-code.left',
  'SELECT COUNT(*) AS count FROM recovery_code WHERE account_id = ? AND used_at IS NULL',
)
const edition = statement(
  'recovery-code.edition',
  'SELECT MIN(digest) AS edition FROM recovery_code WHERE account_id = ?',
)
const removeAll = statement(
  'recovery-code.remove-all',
  'DELETE FROM recovery_code WHERE account_id = ?',
)

export function openRecoveryCodes(statements: Statements): RecoveryCodes {
  return {
    async replace(accountId, digests, at) {
      const adding = add[digests.length - 1]
      if (!adding) throw new Error(`between 1 and ${most} recovery codes, not ${digests.length}`)
      await statements.run(removeAll, [accountId])
      await statements.run(
        adding,
        digests.flatMap((digest) => [accountId, digest, at]),
      )
    },
    use: async (accountId, digest, at) =>
      (await statements.run(use, [at, accountId, digest])).length === 1,
    left: async (accountId) => Number((await statements.run(left, [accountId]))[0]?.count ?? 0),
    edition: async (accountId) =>
      String((await statements.run(edition, [accountId]))[0]?.edition ?? ''),
    async removeAll(accountId) {
      await statements.run(removeAll, [accountId])
    },
  }
}
