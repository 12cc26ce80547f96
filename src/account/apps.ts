/** The apps a member uses: what she allowed each, and as what she acts towards it. */
import type { Granted, Store } from '#store/store.ts'
import { type Acting, acted, lockMember } from './act.ts'

export type UsedApp = {
  clientId: string
  /** What she was asked for and allowed; absent for our own apps, which ask nobody. */
  consent?: { granted: Granted; at: number }
  /** The affiliation she chose, by its key. */
  choice?: string
  /** It may do something on her behalf just now. */
  active: boolean
}

/** By client id. */
export async function listApps(store: Store, accountId: string, at: number): Promise<UsedApp[]> {
  const [consents, choices, granted] = await Promise.all([
    store.consents.ofAccount(accountId),
    store.affiliationChoices.ofAccount(accountId),
    store.payloads.clientsGranted(accountId, at),
  ])
  const ids = new Set([...consents.map((one) => one.clientId), ...choices.keys(), ...granted])
  return [...ids].sort().map((clientId) => {
    const app: UsedApp = { clientId, active: granted.includes(clientId) }
    const consent = consents.find((one) => one.clientId === clientId)
    if (consent) app.consent = { granted: consent.granted, at: consent.at }
    const choice = choices.get(clientId)
    if (choice !== undefined) app.choice = choice
    return app
  })
}

/** Takes back whatever she allowed the app: consent, choice, and every token it has of her. False if there was nothing. */
export async function withdrawApp(
  store: Store,
  acting: Acting,
  clientId: string,
): Promise<boolean> {
  const { accountId, at } = acting
  return store.transaction(async (tables) => {
    await lockMember(tables, accountId)
    const granted = await tables.payloads.clientsGranted(accountId, at)
    const choice = await tables.affiliationChoices.find(accountId, clientId)
    const consented = await tables.consents.forget(accountId, clientId)
    if (!consented && choice === undefined && !granted.includes(clientId)) return false
    await tables.affiliationChoices.forget(accountId, clientId)
    await tables.payloads.destroyGrantsTo(accountId, clientId)
    await tables.audit.record(acted(acting, 'consent.withdraw', { target: `client:${clientId}` }))
    return true
  })
}

/** She is asked again as what she acts towards this app. */
export async function forgetChoice(store: Store, acting: Acting, clientId: string): Promise<void> {
  const { accountId } = acting
  await store.transaction(async (tables) => {
    if ((await tables.affiliationChoices.find(accountId, clientId)) === undefined) return
    await tables.affiliationChoices.forget(accountId, clientId)
    await tables.audit.record(acted(acting, 'affiliation.forget', { target: `client:${clientId}` }))
  })
}
