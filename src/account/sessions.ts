/** The browsers a member is signed in with: ended one by one, or all but this one. */
import { endSessions } from '#oidc/sessions.ts'
import type { Store } from '#store/store.ts'
import { type Acting, acted } from './act.ts'

/** How many ended: none, where the session is not hers or over already. */
export async function endSession(store: Store, acting: Acting, uid: string): Promise<number> {
  return end(store, acting, { onlyUid: uid })
}

export async function endOtherSessions(
  store: Store,
  acting: Acting & { sessionUid: string },
): Promise<number> {
  return end(store, acting, { exceptUid: acting.sessionUid })
}

async function end(store: Store, acting: Acting, which: Parameters<typeof endSessions>[3]) {
  const { accountId, at } = acting
  return store.transaction(async (tables) => {
    const ended = await endSessions(tables, accountId, at, which)
    if (ended > 0) await tables.audit.record(acted(acting, 'session.end', { details: { ended } }))
    return ended
  })
}
