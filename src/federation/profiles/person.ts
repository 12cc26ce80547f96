/** The OpenID Connect standard claims of a person, read alike for every vocabulary. */
import type { UpstreamProfile } from '../connector.ts'
import type { Claims, ProfileSources } from '../profile.ts'
import { asList } from './shape.ts'
import { email, firstText, text } from './text.ts'

/** The person by her standard claims: what the signed ID token says goes before userinfo. */
export function readPerson({ idToken, userinfo = {} }: ProfileSources): UpstreamProfile {
  const said = (claim: string) => firstText(idToken[claim], userinfo[claim])
  const address = email(idToken.email) ?? email(userinfo.email)
  return withoutGaps({
    name: said('name'),
    givenName: said('given_name'),
    familyName: said('family_name'),
    nickname: said('nickname'),
    preferredUsername: said('preferred_username'),
    email: address,
    emailVerified: [idToken, userinfo].some((source) => verifies(source, address)) || undefined,
    gender: said('gender'),
  })
}

/** Exactly true, and beside the very address: "true", 1 and another address's true vouch for nothing. */
function verifies(source: Claims, address: string | undefined): boolean {
  return address !== undefined && source.email_verified === true && email(source.email) === address
}

/** The fields that have a value. */
export function withoutGaps(profile: UpstreamProfile): UpstreamProfile {
  return Object.fromEntries(Object.entries(profile).filter(([, value]) => value !== undefined))
}

/** Former OpenID 2.0 identifiers, under both names in use; only ever from the signed ID token. */
export function readOpenid2Ids({ idToken }: ProfileSources): string[] {
  const found = [...asList(idToken.openid2_id), ...asList(idToken.open2_id)]
    .map(text)
    .filter((id) => id !== undefined && /^https?:$/.test(URL.parse(id)?.protocol ?? ''))
  return [...new Set(found)].filter((id) => id !== undefined)
}
