/**
 * Somebody new whose address is an account's here: who she is waits, sealed, for this question and this browser, until she
 * has said what she wants.
 */
import type { LinkOffer } from '#accounts/link-offer.ts'
import { passwordMark } from '#accounts/local.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { seal, sha256, unseal } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Circumstances, Store, Tables } from '#store/store.ts'
import type { Login } from './question.ts'

/** How long the page is good for. */
const offerSeconds = 10 * 60

/** Which question it was made for, in which browser. */
export type Place = { uid: string; device: string }

export type OpenOffer = LinkOffer & {
  identity: UpstreamIdentity
  remember: boolean
  arrivedAt: number
  /** Of what waits: her answer counts for what she was shown, and nothing that came after it. */
  mark: string
  /** What she has shown of the account, where its second factor is still to come. */
  shown?: Shown
  /** As it waits. */
  sealed: string
}

/** How she would sign in to it by what she has shown, which may be taken from the account meanwhile. */
export type Shown = {
  login: Login
  /** Of the password's hash, where she signed in with one. */
  password?: string
}

type Ports = { store: Store; now: Now; dataKey: Buffer }
type Waiting = Pick<
  OpenOffer,
  'identity' | 'remember' | 'arrivedAt' | 'address' | 'proof' | 'shown'
> & {
  /** Of how it waited first: left out then. */
  mark?: string
}

const idOf = ({ uid, device }: Place) => sha256(JSON.stringify(['link offer', uid, device]))
const context = (id: string) => `link_offer.identity.${id}`

/** In place of an earlier one of this question. */
export async function keepOffer(
  { store, now, dataKey }: Ports,
  place: Place,
  { accountId, address, proof }: LinkOffer,
  { identity, remember, circumstances }: CameWith,
): Promise<void> {
  const id = idOf(place)
  const at = seconds(now)
  const waiting: Waiting = { identity, remember, arrivedAt: at, address, proof }
  await store.transaction(async (tables) => {
    await tables.linkOffers.keep({
      id,
      device: place.device,
      accountId,
      identity: seal(dataKey, JSON.stringify(waiting), context(id)),
      expiresAt: at + offerSeconds,
    })
    await tables.audit.record({
      at,
      actor: 'unknown',
      action: 'identity.link',
      target: accountId,
      outcome: 'offered',
      ...circumstances,
      details: { connector: identity.connector, proof },
    })
  })
}
type CameWith = Pick<OpenOffer, 'identity' | 'remember'> & { circumstances: Circumstances }

/** The one this question waits for, in this browser. None where staff switched off meanwhile what vouched for her. */
export async function findOffer(
  { store, now, dataKey, connectors }: Ports & { connectors: ReadonlyMap<string, unknown> },
  place: Place,
): Promise<OpenOffer | undefined> {
  const id = idOf(place)
  const row = await store.linkOffers.find(id, place.device, seconds(now))
  if (!row) return undefined
  const { accountId, identity: sealed } = row
  const waiting: Waiting = JSON.parse(unseal(dataKey, sealed, context(id)))
  if (!connectors.has(waiting.identity.connector)) return undefined
  return { ...waiting, accountId, sealed, mark: waiting.mark ?? sha256(sealed) }
}

/**
 * Keeps what she has shown of the account until her second factor comes. The page she was shown stays good, and the ten
 * minutes are the same. Whoever is second to do so, in another tab, has the first one's kept. `stands`: whether it still
 * opens the account.
 */
export async function keepShown(
  { store, now, dataKey }: Ports,
  place: Place,
  { sealed, mark, identity, remember, arrivedAt, address, proof }: OpenOffer,
  { login, stands }: { login: Login; stands: () => Promise<boolean> },
): Promise<void> {
  const id = idOf(place)
  const password = login.upstream ? undefined : await passwordMark(store, login.accountId)
  // Asked after it was read: the one she typed is the one that is noted.
  if (!(await stands())) return
  const shown: Shown = { login, ...(password === undefined ? {} : { password }) }
  const waiting: Waiting = { identity, remember, arrivedAt, address, proof, mark, shown }
  const next = seal(dataKey, JSON.stringify(waiting), context(id))
  await store.linkOffers.change({ id, device: place.device, identity: sealed }, next, seconds(now))
}

/** Whether what she has shown still opens the account. */
export async function stillStands(
  tables: Pick<Tables, 'credentials' | 'identities'>,
  { login: { accountId, upstream }, password }: Shown,
): Promise<boolean> {
  if (password !== undefined) return (await passwordMark(tables, accountId)) === password
  const { issuer = '', subject = '' } = upstream ?? {}
  return (await tables.identities.find(issuer, subject))?.account.id === accountId
}

/** True for exactly one caller: it is gone then. */
export const takeOffer = (
  { linkOffers }: Pick<Tables, 'linkOffers'>,
  place: Place,
  { sealed }: Pick<OpenOffer, 'sealed'>,
  at: number,
): Promise<boolean> =>
  linkOffers.take({ id: idOf(place), device: place.device, identity: sealed }, at)
