/** A way into her account changes or is hers no more: whoever came in by it is out, and keeps nothing of what he began. */
import { endGrants, endSessions } from '#oidc/sessions.ts'
import type { Tables } from '#store/store.ts'
import type { Acting } from './act.ts'

/**
 * Ends her other sessions, every token, and links that wait: an address of his own, too (pre-hijacking). Call it inside a
 * transaction. How many sessions ended.
 */
export async function endWhatElseIsOpen(
  tables: Tables,
  { accountId, at, sessionUid }: Pick<Acting, 'accountId' | 'at'> & { sessionUid?: string },
): Promise<number> {
  const except = sessionUid === undefined ? {} : { exceptUid: sessionUid }
  const ended = await endSessions(tables, accountId, at, except)
  await endGrants(tables, accountId)
  await tables.mailLinks.endAll(accountId, 'reset')
  await tables.mailLinks.endAll(accountId, 'confirm-address')
  return ended
}
