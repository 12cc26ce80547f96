/** What test sign-ins brought, until the one who made it has seen it. */
import { type Statements, statement } from './statements.ts'

export type UpstreamTestRow = {
  /** Whose it is, in which browser, and of which upstream: a keyed hash of all three. */
  id: string
  connector: string
  accountId: string
  /** Sealed. */
  result: string
  expiresAt: number
}

export type UpstreamTests = {
  /** In place of an earlier one. */
  keep(row: UpstreamTestRow): Promise<void>
  /** Takes it out: given to exactly one caller, however many race. Undefined where it has expired at `at`. */
  take(
    row: Pick<UpstreamTestRow, 'id' | 'connector' | 'accountId'>,
    at: number,
  ): Promise<string | undefined>
}

const keep = statement(
  'upstream-test.keep',
  `INSERT INTO upstream_test (id, connector, account_id, result, expires_at) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (id) DO UPDATE SET result = excluded.result, expires_at = excluded.expires_at`,
)
const take = statement(
  'upstream-test.take',
  `DELETE FROM upstream_test WHERE id = ? AND connector = ? AND account_id = ?
   RETURNING result, expires_at`,
)

export function openUpstreamTests(statements: Statements): UpstreamTests {
  return {
    async keep({ id, connector, accountId, result, expiresAt }) {
      await statements.run(keep, [id, connector, accountId, result, expiresAt])
    },
    async take({ id, connector, accountId }, at) {
      const [row] = await statements.run(take, [id, connector, accountId])
      return row && Number(row.expires_at) > at ? String(row.result) : undefined
    },
  }
}
