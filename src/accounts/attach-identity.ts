/** An upstream identity put down as one account's: the link, and what it says of her schools. */
import { randomUUID } from 'node:crypto'
import { UpstreamError } from '#errors.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { sha256 } from '#lib/crypto.ts'
import type { IdentityRow, Tables } from '#store/store.ts'

/** Throws UpstreamError for a subject no link can stand on. */
export function checkSubject({
  connector,
  subject,
}: Pick<UpstreamIdentity, 'connector' | 'subject'>): void {
  if (!isKeepable(subject))
    throw new UpstreamError(connector, 'nonsense', 'its subject cannot be kept letter by letter')
  if (nobody.test(subject)) throw new UpstreamError(connector, 'nonsense', 'its subject is nobody')
}

/** What is written of everybody whose identifier is not known: they would meet in one account. */
const nobody = /^(?:NA|N\/A|null|undefined|[0-]+)$/

/**
 * A database may drop or change what is no text: two such subjects would meet in one account. OpenID Connect
 * Core §2 allows 255 ASCII characters; counties are let have other letters, not control characters or halves.
 */
const isKeepable = (subject: string) =>
  subject.trim() !== '' &&
  subject.length <= 255 &&
  subject.isWellFormed() &&
  !/\p{Cc}/u.test(subject)

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
  const id = randomUUID()
  const { connector, issuer, subject } = identity
  const key = { id, accountId, connector, issuer, subject }
  const linked = await tables.identities.link({
    ...key,
    ...readingOf(identity, at),
    createdAt: at,
  })
  if (linked) await snapshot(tables, key, identity, at)
  return linked
}

/** What of an identity is kept beside its key. */
export const readingOf = (identity: UpstreamIdentity, at: number) => ({
  openid2Ids: identity.openid2Ids,
  raw: identity.raw,
  digest: digestOf(identity, at),
  readAt: at,
  ...(identity.fingerprint === undefined ? {} : { fingerprint: identity.fingerprint }),
  ...(identity.unread?.length ? { unread: identity.unread } : {}),
})

/** Claims about the answer, not about the person: they differ each time. */
const ofTheAnswer = new Set(
  'iss aud azp exp iat nbf nonce auth_time at_hash c_hash s_hash jti sid'.split(' '),
)

/** Bound to the reading: a release that knows no digest leaves it behind when it writes another reading. */
export function digestOf(
  { profile, affiliations, openid2Ids, raw, fingerprint, unread = [] }: UpstreamIdentity,
  readAt: number,
): string {
  const said = Object.entries(raw).filter(([claim]) => !ofTheAnswer.has(claim))
  const more = fingerprint === undefined && unread.length === 0 ? [] : [fingerprint, unread]
  return sha256(JSON.stringify([profile, affiliations, openid2Ids, said, readAt, ...more]))
}

/** Her schools, as this identity's upstream sees them now. */
export async function snapshot(
  tables: Tables,
  { id: identityId, accountId }: Pick<IdentityRow, 'id' | 'accountId'>,
  identity: UpstreamIdentity,
  readAt: number,
): Promise<void> {
  const rows = identity.affiliations.map((affiliation) => ({
    identityId,
    accountId,
    ...affiliation,
    classes: affiliation.classes.map((one) => ({ ...one })),
    readAt,
  }))
  await tables.affiliations.replace(identityId, rows)
}
