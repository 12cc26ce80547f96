/** Ends everything that is open at an account, for when the wrong person may have used it. */
import { endGrants, endSessions } from '#oidc/sessions.ts'
import type { Tables } from '#store/store.ts'

/** Ends every session, token and mailed link, and says how many sessions ended. Call it inside a transaction. */
export async function endAll(tables: Tables, accountId: string, at: number): Promise<number> {
  const ended = await endSessions(tables, accountId, at)
  await endGrants(tables, accountId)
  await tables.mailLinks.endAll(accountId, 'reset')
  await tables.mailLinks.endAll(accountId, 'confirm-address')
  return ended
}
