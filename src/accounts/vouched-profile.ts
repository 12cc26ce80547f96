/** A profile's attributes, each with who vouched for it, as upstreams come, speak and go. */
import type { UpstreamIdentity } from '#federation/connector.ts'
import type { Attribute, IdentifierRow } from '#store/store.ts'

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

/** What one connector said another one of the same county says from now on. */
export const profileHandedOn = (
  before: Record<string, Attribute>,
  { from, to }: { from: string; to: string },
): Record<string, Attribute> =>
  Object.fromEntries(
    Object.entries(before).map(([claim, known]) => [
      claim,
      known.by === from ? { ...known, by: to } : known,
    ]),
  )
