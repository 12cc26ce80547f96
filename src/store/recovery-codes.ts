/** Codes for whoever lost her second factor: kept by a keyed hash, each good once. */
import { places, type Statements, sizedStatements, statement } from './statements.ts'

export type RecoveryCodes = {
  /** In place of all there were. Call it inside a transaction. */
  replace(accountId: string, digests: string[], at: number): Promise<void>
  /** Uses it up. True for exactly one caller, however many race. */
  use(accountId: string, digest: string, at: number): Promise<boolean>
  standing(accountId: string): Promise<CodesStanding>
  removeAll(accountId: string): Promise<void>
}

export type CodesStanding = {
  /** How many are still good. */
  left: number
  /** Another one each time they are replaced, and the same when one of them was used; empty where there are none. */
  edition: string
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
const standing = statement(
  'recovery-code.standing',
  `SELECT COUNT(*) - COUNT(used_at) AS still_good, MIN(digest) AS edition
   FROM recovery_code WHERE account_id = ?`,
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
    async standing(accountId) {
      const [found] = await statements.run(standing, [accountId])
      return { left: Number(found?.still_good ?? 0), edition: String(found?.edition ?? '') }
    },
    async removeAll(accountId) {
      await statements.run(removeAll, [accountId])
    },
  }
}
