/** Whose session at an upstream it is, where it tells its sessions apart. */
import { type Statements, statement } from './statements.ts'

export type UpstreamSessions = {
  /** Of the last who signed in with it. */
  keep(row: { id: string; accountId: string; expiresAt: number }): Promise<void>
  find(id: string): Promise<string | undefined>
}

const keep = statement(
  'upstream-session.keep',
  `INSERT INTO upstream_session (id, account_id, expires_at) VALUES (?, ?, ?)
   ON CONFLICT (id) DO UPDATE SET account_id = excluded.account_id, expires_at = excluded.expires_at`,
)
const find = statement(
  'upstream-session.find',
  'SELECT account_id FROM upstream_session WHERE id = ?',
)

export function openUpstreamSessions(statements: Statements): UpstreamSessions {
  return {
    async keep({ id, accountId, expiresAt }) {
      await statements.run(keep, [id, accountId, expiresAt])
    },
    async find(id) {
      const [row] = await statements.run(find, [id])
      return row && String(row.account_id)
    },
  }
}
