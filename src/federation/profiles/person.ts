/** A person by the words every vocabulary shares: OpenID Connect's standard claims, OpenID 2.0's SREG and AX. */
import type { UpstreamProfile } from '../connector.ts'
import type { Claims, ProfileSources } from '../profile.ts'
import { asList } from './shape.ts'
import { email, firstText, text } from './text.ts'

/** Where the attributes are that SREG has too: http://axschema.org/namePerson is its fullname. */
export const axschema = 'http://axschema.org/'

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
    gender: gender(said('gender')),
  })
}

/** The person by her attributes. Of dob, which 新竹市 and 花蓮 fill with 0001-01-01, nothing is taken. */
export function readAttributes({ attributes = {} }: ProfileSources): UpstreamProfile {
  const said = (field: string, type: string) =>
    [attributes[`sreg.${field}`], attributes[`${axschema}${type}`]].flatMap(asList)
  return withoutGaps({
    name: firstText(...said('fullname', 'namePerson')),
    nickname: firstText(...said('nickname', 'namePerson/friendly')),
    email: said('email', 'contact/email').map(email).find(Boolean),
    gender: gender(firstText(...said('gender', 'person/gender'))),
  })
}

/** As OpenID Connect words it (Core §5.1), from SREG's letters and from ISO 5218, of which 0 and 9 say nothing. */
export function gender(value: unknown): string | undefined {
  const said = text(value)
  return said === undefined ? undefined : (genders.get(said.toLowerCase()) ?? unlessUnknown(said))
}

const genders = new Map([
  ['m', 'male'],
  ['1', 'male'],
  ['男', 'male'],
  ['f', 'female'],
  ['2', 'female'],
  ['女', 'female'],
])

const unlessUnknown = (said: string) => (said === '0' || said === '9' ? undefined : said)

/** Exactly true, and beside the very address: "true", 1 and another address's true vouch for nothing. */
function verifies(source: Claims, address: string | undefined): boolean {
  return address !== undefined && source.email_verified === true && email(source.email) === address
}

/** The fields that have a value. */
export function withoutGaps(profile: UpstreamProfile): UpstreamProfile {
  return Object.fromEntries(Object.entries(profile).filter(([, value]) => value !== undefined))
}

/** Former OpenID 2.0 identifiers, under both names in use; only ever from the signed ID token, and none cut short. */
export function readOpenid2Ids({ idToken }: ProfileSources): string[] {
  const found = [...asList(idToken.openid2_id), ...asList(idToken.open2_id)].flatMap((value) => {
    const id = typeof value === 'string' ? value.trim() : ''
    return id.length <= 255 && /^https?:$/.test(URL.parse(id)?.protocol ?? '') ? [id] : []
  })
  return [...new Set(found)]
}
