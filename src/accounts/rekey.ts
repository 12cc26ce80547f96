/**
 * A county that moves to another protocol: who comes by it for the first time is known under her former identifier, which
 * the county signed. The only way a link ever changes its key.
 */
import type { UpstreamIdentity } from '#federation/connector.ts'
import { sha256 } from '#lib/crypto.ts'
import type {
  AccountRow,
  AuditEvent,
  Circumstances,
  IdentityRow,
  Store,
  Tables,
} from '#store/store.ts'
import { readingOf, snapshot } from './attach-identity.ts'
import { profileFrom, profileHandedOn } from './vouched-profile.ts'

type Link = { identity: IdentityRow; account: AccountRow }

export type Former =
  | { kind: 'none' }
  /** Of several links of one account, the one she used last. */
  | { kind: 'one'; link: Link }
  /** Of several accounts: whose she is nobody can tell. */
  | { kind: 'ambiguous'; links: Link[] }

/** How she was known before, if her county says so. Costs nothing where it does not. */
export async function findFormer(
  { identities }: Pick<Tables, 'identities'>,
  { former = [] }: UpstreamIdentity,
): Promise<Former> {
  const links = new Map<string, Link>()
  for (const { issuer, subject } of former) {
    const link = await identities.find(issuer, subject)
    if (link) links.set(link.identity.id, link)
  }
  const found = [...links.values()].sort((a, b) => b.identity.readAt - a.identity.readAt)
  const [link] = found
  if (!link) return { kind: 'none' }
  const one = found.every(({ account }) => account.id === link.account.id)
  return one ? { kind: 'one', link } : { kind: 'ambiguous', links: found }
}

/** Whose she is, now or formerly. */
export async function findKnown(
  store: Pick<Tables, 'identities'>,
  identity: UpstreamIdentity,
): Promise<AccountRow | undefined> {
  const known = await store.identities.find(identity.issuer, identity.subject)
  if (known) return known.account
  const former = await findFormer(store, identity)
  if (former.kind === 'one') return former.link.account
  return (await findCarriedOver(store, identity))?.account
}

/**
 * Whose link had this very key before her county's other protocol re-keyed it: while both ways are open, she may come by
 * either. Nothing is re-keyed back. Costs nothing where she is not known by such an identifier.
 */
export const findCarriedOver = async (
  { identities }: Pick<Tables, 'identities'>,
  { issuer, subject, openid2Ids }: UpstreamIdentity,
): Promise<Link | undefined> =>
  openid2Ids.includes(subject) ? identities.findByFormer(issuer, subject) : undefined

type Around = Circumstances & { at: number }

/**
 * Keeps the link under what she is known by now, with what is said of her now. False if somebody was faster: nothing was
 * written. Call it inside a transaction, her account locked. Throws LinkedMeanwhileError.
 */
export async function rekey(
  tables: Tables,
  { identity: known, account }: Link,
  identity: UpstreamIdentity,
  { at, ...where }: Around,
): Promise<boolean> {
  const { connector, issuer, subject } = identity
  const fingerprint = known.fingerprint === undefined ? {} : { fingerprint: known.fingerprint }
  const { digest: said, ...reading } = { ...fingerprint, ...readingOf(identity, at) }
  // To who may not come in nothing is added: when she may again, all of it is new.
  const isActive = account.status === 'active'
  const changes = { connector, issuer, subject, ...reading, ...(isActive ? { digest: said } : {}) }
  if (!(await tables.identities.rekey(known, changes))) return false
  const handedOn = profileHandedOn(account.profile, { from: known.connector, to: connector })
  const profile = isActive ? profileFrom(identity, handedOn, at) : handedOn
  await tables.accounts.setProfile(account.id, profile, at)
  if (isActive) await snapshot(tables, known, identity, at)
  await tables.audit.record({ ...rekeyed(account.id, known, identity), at, ...where })
  return true
}

/** The same in a transaction of its own, for whoever signs in. */
export const rekeyAlone = (
  store: Store,
  { identity: known, account }: Link,
  identity: UpstreamIdentity,
  around: Around,
): Promise<boolean> =>
  store.transaction(async (tables) => {
    const locked = await tables.accounts.lock(account.id)
    return locked ? rekey(tables, { identity: known, account: locked }, identity, around) : false
  })

/** Her county's word means more than one account: staff can see which. */
export const ambiguous = (links: Link[], { connector }: UpstreamIdentity) => ({
  actor: 'unknown',
  action: 'identity.rekey',
  target: `connector:${connector}`,
  outcome: 'ambiguous',
  details: { connector, identities: links.map(({ identity }) => identity.id) },
})

const digest = ({ issuer, subject }: Pick<IdentityRow, 'issuer' | 'subject'>) =>
  sha256(JSON.stringify([issuer, subject]))

const rekeyed = (
  accountId: string,
  known: IdentityRow,
  identity: UpstreamIdentity,
): Omit<AuditEvent, 'at'> => ({
  actor: accountId,
  action: 'identity.rekey',
  target: accountId,
  outcome: 'ok',
  details: {
    identity: known.id,
    from: known.connector,
    to: identity.connector,
    before: digest(known),
    after: digest(identity),
  },
})
