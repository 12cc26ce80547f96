/** Whoever used an account may be the wrong person: nothing of what he has or began is good any more. */
import { endGrants, endSessions } from '#oidc/sessions.ts'
import type { Tables } from '#store/store.ts'

/** Every session, every token, every link that waits. Call it inside a transaction. How many sessions ended. */
export async function endAll(tables: Tables, accountId: string, at: number): Promise<number> {
  const ended = await endSessions(tables, accountId, at)
  await endGrants(tables, accountId)
  await tables.mailLinks.endAll(accountId, 'reset')
  await tables.mailLinks.endAll(accountId, 'confirm-address')
  return ended
}
