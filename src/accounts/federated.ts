/** Whose account an upstream identity is: found by (issuer, subject) and by nothing else. */
import { randomUUID } from 'node:crypto'
import { UpstreamError } from '#errors.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { sha256 } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import type {
  AccountRow,
  Attribute,
  AuditEvent,
  Circumstances,
  IdentifierRow,
  Store,
  Tables,
} from '#store/store.ts'

export type FederatedSignIn =
  | { kind: 'signed-in'; accountId: string; created: boolean }
  /** Nobody here is linked to it, and no account was to be made at once. */
  | { kind: 'unknown' }
  | { kind: 'barred'; accountId: string; status: Exclude<AccountRow['status'], 'active'> }

const lostRace = Symbol('somebody linked this identity first')

/** The app she signs in to, and what is known of the request. */
export type SignInAt = Circumstances & { clientId: string }

/** What becomes of somebody who comes for the first time. */
export type Newcomers = 'create' | 'tell'

/**
 * Finds the account linked to the identity and refreshes what the upstream says; for a newcomer makes account,
 * identity and affiliations in one transaction, if wanted. Twenty first sign-ins at once make one account.
 */
export async function signInFederated(
  store: Store,
  identity: UpstreamIdentity,
  now: Now,
  where: SignInAt,
  newcomers: Newcomers = 'create',
): Promise<FederatedSignIn> {
  checkSubject(identity)
  // A race is lost at most once: the winner's link is there to be found the second time.
  for (const last of [false, true]) {
    const linked = await store.identities.find(identity.issuer, identity.subject)
    const signedIn = linked && (await refresh(store, linked, identity, seconds(now), where))
    if (signedIn) return signedIn
    if (newcomers === 'tell') return { kind: 'unknown' }
    try {
      return await enrol(store, identity, seconds(now), where)
    } catch (error) {
      if (error !== lostRace || last) throw error
    }
  }
  throw new Error('unreachable')
}

/** Throws UpstreamError for a subject no link can stand on. */
export function checkSubject({ connector, subject }: UpstreamIdentity): void {
  if (isKeepable(subject)) return
  throw new UpstreamError(connector, 'nonsense', 'its subject cannot be kept letter by letter')
}

/**
 * A database may drop or change what is no text: two such subjects would meet in one account. OpenID Connect
 * Core §2 allows 255 ASCII characters; counties are let have other letters, not control characters or halves.
 */
const isKeepable = (subject: string) =>
  subject.trim() !== '' &&
  subject.length <= 255 &&
  subject.isWellFormed() &&
  !/\p{Cc}/u.test(subject)

async function enrol(store: Store, identity: UpstreamIdentity, at: number, where: SignInAt) {
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
  return { kind: 'signed-in', accountId, created: true } as const
}

/**
 * Links the identity to the account, with what it says of her schools. False if somebody has it already: nothing was
 * written. Call it inside a transaction. Her profile is for the caller to fill: `profileFrom`.
 */
export async function attachIdentity(
  tables: Tables,
  accountId: string,
  identity: UpstreamIdentity,
  at: number,
): Promise<boolean> {
  const identityId = randomUUID()
  const linked = await tables.identities.link({
    id: identityId,
    accountId,
    connector: identity.connector,
    issuer: identity.issuer,
    subject: identity.subject,
    openid2Ids: identity.openid2Ids,
    raw: identity.raw,
    digest: digestOf(identity, at),
    createdAt: at,
    readAt: at,
  })
  if (linked) await snapshot(tables, identityId, accountId, identity, at)
  return linked
}

/** Undefined if it is linked no more. */
async function refresh(
  store: Store,
  { identity: known, account }: Linked,
  identity: UpstreamIdentity,
  at: number,
  where: SignInAt,
): Promise<FederatedSignIn | undefined> {
  const accountId = account.id
  const done = { kind: 'signed-in', accountId, created: false } as const
  const event = signedIn(identity, accountId, at, where, false)
  if (account.status !== 'active') {
    await store.audit.record({ ...event, outcome: account.status })
    return { kind: 'barred', accountId, status: account.status }
  }
  const digest = digestOf(identity, at)
  if (known.digest === digestOf(identity, known.readAt)) {
    if (!(await store.identities.confirm(known.id, at, digest))) return undefined
    await store.audit.record(event)
    return done
  }
  return store.transaction(async (tables): Promise<FederatedSignIn | undefined> => {
    // Read again under a lock: what she changed herself meanwhile must stay, and who closed it has nothing added.
    const { profile, status } = (await tables.accounts.lock(accountId)) ?? account
    if (status !== 'active') {
      await tables.audit.record({ ...event, outcome: status })
      return { kind: 'barred', accountId, status }
    }
    const { openid2Ids, raw } = identity
    const said = { openid2Ids, raw, digest, readAt: at }
    if (!(await tables.identities.refresh(known.id, said))) return undefined
    await tables.accounts.setProfile(accountId, profileFrom(identity, profile, at), at)
    await snapshot(tables, known.id, accountId, identity, at)
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

/** Claims about the answer, not about the person: they differ each time. */
const ofTheAnswer = new Set(
  'iss aud azp exp iat nbf nonce auth_time at_hash c_hash s_hash jti sid'.split(' '),
)

// Bound to the reading: a release that knows no digest leaves it behind when it writes another reading.
const digestOf = (
  { profile, affiliations, openid2Ids, raw }: UpstreamIdentity,
  readAt: number,
): string => {
  const said = Object.entries(raw).filter(([claim]) => !ofTheAnswer.has(claim))
  return sha256(JSON.stringify([profile, affiliations, openid2Ids, said, readAt]))
}

async function snapshot(
  tables: Tables,
  identityId: string,
  accountId: string,
  identity: UpstreamIdentity,
  readAt: number,
) {
  const rows = identity.affiliations.map((affiliation) => ({
    identityId,
    accountId,
    ...affiliation,
    classes: affiliation.classes.map((one) => ({ ...one })),
    readAt,
  }))
  await tables.affiliations.replace(identityId, rows)
}

/**
 * What the upstream says fills what is empty and what the same upstream said before. What the person,
 * staff or another upstream vouched for stays theirs.
 */
export function profileFrom(
  { connector, profile }: UpstreamIdentity,
  before: Record<string, Attribute>,
  at: number,
): Record<string, Attribute> {
  const said: Record<string, string | undefined> = {
    name: profile.name,
    given_name: profile.givenName,
    family_name: profile.familyName,
    nickname: profile.nickname,
    preferred_username: profile.preferredUsername,
    email: profile.email,
    gender: profile.gender,
  }
  const after = { ...before }
  for (const [claim, value] of Object.entries(said)) {
    const known = before[claim]
    if (known && known.by !== connector) continue
    if (value === undefined) delete after[claim]
    else {
      const verified = claim === 'email' ? { verified: profile.emailVerified === true } : {}
      after[claim] = { value, by: connector, at, ...verified }
    }
  }
  return after
}

/**
 * Without an upstream that is linked no more: what it said is hers to change from now on, but for an address, which may
 * be somebody else's. In its place comes a name of hers that is one.
 */
export function profileWithout(
  connector: string,
  before: Record<string, Attribute>,
  names: IdentifierRow[],
  at: number,
): Record<string, Attribute> {
  const by = 'self'
  const after = Object.entries(before).map(([claim, known]): [string, Attribute] => [
    claim,
    known.by === connector ? { ...known, by, at } : known,
  ])
  const { email, ...others } = Object.fromEntries(after)
  if (before.email?.by !== connector) return email ? { ...others, email } : others
  const own = names.find(({ type, verifiedAt }) => type === 'email' && verifiedAt)
  return own ? { ...others, email: { value: own.value, by, at, verified: true } } : others
}
