/** Whose account an upstream identity is: found by (issuer, subject) and by nothing else. */
import { randomUUID } from 'node:crypto'
import type { UpstreamIdentity } from '#federation/connector.ts'
import type { Log } from '#lib/log.ts'
import { type Now, seconds } from '#lib/time.ts'
import {
  type AccountRow,
  type AuditEvent,
  type Circumstances,
  LinkedMeanwhileError,
  type Store,
} from '#store/store.ts'
import { attachIdentity, checkSubject, digestOf, readingOf, snapshot } from './attach-identity.ts'
import { isSomebodyElse, reportReused, type StaffAlerts } from './fingerprint.ts'
import { findLinkOffer, type Linking, type LinkOffer } from './link-offer.ts'
import { ambiguous, findCarriedOver, findFormer, rekeyAlone } from './rekey.ts'
import { profileFrom } from './vouched-profile.ts'

export type FederatedSignIn =
  | { kind: 'signed-in'; accountId: string; created: boolean }
  /** Nobody here is linked to it, and no account was to be made at once. */
  | { kind: 'unknown' }
  /** The same, and the address she brings is an account's: she is to say whether it is hers. */
  | { kind: 'offer'; offer: LinkOffer }
  | { kind: 'barred'; accountId: string; status: Exclude<AccountRow['status'], 'active'> }
  /** This login was somebody else's before. */
  | { kind: 'reused'; identityId: string }

const lostRace = Symbol('somebody linked this identity first')

/** The app she signs in to, and what is known of the request. */
export type SignInAt = Circumstances & { clientId: string }

/** What becomes of somebody who comes for the first time. */
export type Newcomers = 'create' | 'tell'

export type SignInRules = {
  /** Left out: an account is made. */
  newcomers?: Newcomers
  /** Left out: nobody is asked. */
  linking?: Linking
  staff?: StaffAlerts
  log?: Pick<Log, 'warn'>
}

/** Each race is lost to somebody who got on: the winner's link is there to be found the next time. */
const mostTries = 4

/**
 * Finds the account linked to the identity and refreshes what the upstream says; for a newcomer makes account,
 * identity and affiliations in one transaction, if wanted. Twenty first sign-ins at once make one account.
 */
export async function signInFederated(
  store: Store,
  identity: UpstreamIdentity,
  now: Now,
  where: SignInAt,
  rules: SignInRules = {},
): Promise<FederatedSignIn> {
  checkSubject(identity)
  for (let tries = 1; tries <= mostTries; tries++) {
    try {
      const signedIn = await look({ store, identity, at: seconds(now), where, rules })
      if (signedIn) return signedIn
    } catch (error) {
      if (error !== lostRace && !(error instanceof LinkedMeanwhileError)) throw error
    }
  }
  throw new Error('an identity was linked anew each time it was looked for')
}

type Coming = {
  store: Store
  identity: UpstreamIdentity
  at: number
  where: SignInAt
  rules: SignInRules
}

/** Undefined if it was changed while it was looked at. */
async function look(coming: Coming): Promise<FederatedSignIn | undefined> {
  const { store, identity, rules } = coming
  const known = await store.identities.find(identity.issuer, identity.subject)
  if (known) return refresh(coming, known)
  const former = await findFormer(store, identity)
  if (former.kind === 'one') return carryOver(coming, former.link)
  if (former.kind === 'ambiguous') await reportAmbiguous(coming, former.links)
  const carried = former.kind === 'none' ? await findCarriedOver(store, identity) : undefined
  if (carried) return comeByFormer(coming, carried)
  const offer = rules.linking && (await findLinkOffer(store, identity, rules.linking))
  if (offer) return { kind: 'offer', offer }
  return rules.newcomers === 'tell' ? { kind: 'unknown' } : enrol(coming)
}

/** Her link is kept under what she is known by now; then she is known. */
async function carryOver(coming: Coming, link: Linked): Promise<FederatedSignIn | undefined> {
  const { store, identity, at, where } = coming
  if (isSomebodyElse(link.identity.fingerprint, identity.fingerprint)) return stop(coming, link)
  const { address, ref } = where
  await rekeyAlone(store, link, identity, { at, address, ref })
  return undefined
}

/** By the way her county had before: what it says there is older than what it says now, and changes nothing. */
async function comeByFormer(coming: Coming, link: Linked): Promise<FederatedSignIn> {
  const { store, identity, at, where } = coming
  const { id: accountId, status } = link.account
  if (isSomebodyElse(link.identity.fingerprint, identity.fingerprint)) return stop(coming, link)
  const event = signedIn(identity, accountId, at, where, false)
  const outcome = status === 'active' ? 'ok' : status
  await store.audit.record({ ...event, outcome })
  if (status !== 'active') return { kind: 'barred', accountId, status }
  return { kind: 'signed-in', accountId, created: false }
}

async function reportAmbiguous({ store, identity, at, where, rules }: Coming, links: Linked[]) {
  const event = ambiguous(links, identity)
  const { address, ref } = where
  await store.audit.record({ ...event, at, address, ref })
  rules.log?.warn({ ref, outcome: event.outcome, ...event.details }, 'identity.rekey')
}

async function stop(
  { store, at, where, rules }: Coming,
  { identity: known }: Linked,
): Promise<FederatedSignIn> {
  const { id, connector } = known
  await reportReused(store, known, { ...where, at }, rules.staff)
  rules.log?.warn({ ref: where.ref, connector, identity: id }, 'identity.reused')
  return { kind: 'reused', identityId: id }
}

async function enrol({ store, identity, at, where }: Coming): Promise<FederatedSignIn> {
  const accountId = randomUUID()
  await store.transaction(async (tables) => {
    await tables.accounts.create({
      id: accountId,
      kind: 'person',
      status: 'active',
      profile: profileFrom(identity, {}, at),
      createdAt: at,
      updatedAt: at,
    })
    if (!(await attachIdentity(tables, accountId, identity, at))) throw lostRace
    await tables.audit.record(signedIn(identity, accountId, at, where, true))
  })
  return { kind: 'signed-in', accountId, created: true }
}

/** Undefined if it leads there no more, or has got another fingerprint meanwhile. */
async function refresh(coming: Coming, link: Linked): Promise<FederatedSignIn | undefined> {
  const { store, identity, at, where } = coming
  const { identity: known, account } = link
  // First of all: whoever has this login now is not to learn how the account fares.
  if (isSomebodyElse(known.fingerprint, identity.fingerprint)) return stop(coming, link)
  const accountId = account.id
  const done = { kind: 'signed-in', accountId, created: false } as const
  const event = signedIn(identity, accountId, at, where, false)
  if (account.status !== 'active') {
    await store.audit.record({ ...event, outcome: account.status })
    return { kind: 'barred', accountId, status: account.status }
  }
  const reading = readingOf(identity, at)
  if (known.digest === digestOf(identity, known.readAt)) {
    if (!(await store.identities.confirm(known, at, reading.digest))) return undefined
    await store.audit.record(event)
    return done
  }
  return store.transaction(async (tables): Promise<FederatedSignIn | undefined> => {
    // Read again under a lock: what she changed herself meanwhile must stay, and who closed it has nothing added.
    const { profile, status } = (await tables.accounts.lock(accountId)) ?? account
    if (status !== 'active') {
      // Perhaps it was joined to another one just now, and her way in leads there.
      if ((await tables.identities.get(known.id))?.accountId !== accountId) return undefined
      await tables.audit.record({ ...event, outcome: status })
      return { kind: 'barred', accountId, status }
    }
    const { fingerprint } = known
    const kept = fingerprint === undefined ? {} : { fingerprint }
    if (!(await tables.identities.refresh(known, { ...kept, ...reading }))) return undefined
    await tables.accounts.setProfile(accountId, profileFrom(identity, profile, at), at)
    await snapshot(tables, known, identity, at)
    await tables.audit.record(event)
    return done
  })
}

const signedIn = (
  { connector }: UpstreamIdentity,
  actor: string,
  at: number,
  { clientId, address, ref }: SignInAt,
  created: boolean,
): AuditEvent => ({
  at,
  actor,
  action: 'session.sign-in',
  target: `client:${clientId}`,
  outcome: 'ok',
  address,
  ref,
  details: { way: 'upstream', connector, created },
})

type Linked = NonNullable<Awaited<ReturnType<Store['identities']['find']>>>
