/** The browsers a member is signed in with: ended one by one, or all but this one. */
import { findConfirmationWaiting } from '#accounts/address-confirmation.ts'
import { endSessions } from '#oidc/sessions.ts'
import type { Store, Tables } from '#store/store.ts'
import { type Acting, acted } from './act.ts'

/** Opens what a link was sent for. */
export type SessionPorts = { dataKey: Buffer }

/** How many ended: none, where the session is not hers or over already. */
export async function endSession(
  store: Store,
  acting: Acting,
  uid: string,
  ports: SessionPorts,
): Promise<number> {
  return end(store, acting, { onlyUid: uid }, ports)
}

export async function endOtherSessions(
  store: Store,
  acting: Acting & { sessionUid: string },
  ports: SessionPorts,
): Promise<number> {
  return end(store, acting, { exceptUid: acting.sessionUid }, ports)
}

type Which = { onlyUid: string } | { exceptUid: string }

async function end(store: Store, acting: Acting, which: Which, ports: SessionPorts) {
  const { accountId, at } = acting
  return store.transaction(async (tables) => {
    const ended = await endSessions(tables, accountId, at, which)
    await endAddressAskedThere(tables, acting, which, ports)
    if (ended > 0) await tables.audit.record(acted(acting, 'session.end', { details: { ended } }))
    return ended
  })
}

/** Whoever sat there may have asked for his own address to be hers: its link would open the account to him later on. */
async function endAddressAskedThere(
  tables: Tables,
  acting: Acting,
  which: Which,
  ports: SessionPorts,
): Promise<void> {
  const { session } = (await findConfirmationWaiting(tables, acting, ports)) ?? {}
  if (session === undefined) return
  const there = 'onlyUid' in which ? session === which.onlyUid : session !== which.exceptUid
  if (!there) return
  await tables.mailLinks.endAll(acting.accountId, 'confirm-address')
  await tables.audit.record(acted(acting, 'recovery-address.cancel'))
}
