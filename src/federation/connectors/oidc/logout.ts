/** Signing out at the upstream (OpenID Connect RP-Initiated Logout 1.0), and its word of a sign-out there (Back-Channel Logout 1.0). */
import type { JWTPayload, LocalJWKSet } from 'jose'
import type { OidcSettings } from '#config/connector.ts'
import { Fault } from '../../calls/fault.ts'
import type { Fresh } from '../../calls/fresh.ts'
import type { LogoutHeard } from '../../connector.ts'
import { clockToleranceSeconds, verifyWithNewestKeys } from './id-token.ts'

/** A logout token is sent when it is made. */
const oldestSeconds = 5 * 60
const event = 'http://schemas.openid.net/event/backchannel-logout'

export type ExpectedLogout = {
  issuer: string
  clientId: string
  algorithms: string[]
  /** Milliseconds since 1970. */
  now: number
  /** True for the first who has this token. */
  firstUse(jti: string, expiresAt: number): Promise<boolean>
}

/** Who signed out there (§2.6). Throws a Fault for what is no logout token of this upstream, or came before. */
export async function readLogoutToken(
  token: string,
  keySet: Fresh<LocalJWKSet>,
  { issuer, clientId, algorithms, now, firstUse }: ExpectedLogout,
): Promise<LogoutHeard> {
  const claims = await verifyWithNewestKeys(token, keySet, {
    algorithms,
    issuer,
    audience: clientId,
    requiredClaims: ['iat', 'jti', 'events'],
    clockTolerance: clockToleranceSeconds,
    maxTokenAge: oldestSeconds,
    currentDate: new Date(now),
  })
  // An ID token carries none of this, and must not do for a logout token (§2.4).
  if (!says(claims.events)) throw new Fault('forged', 'it is no logout token')
  if (claims.nonce !== undefined) throw new Fault('forged', 'a logout token has no nonce')
  const { sub, sid, jti = '' } = claims
  const subject = typeof sub === 'string' && sub !== '' ? { subject: sub } : {}
  const session = typeof sid === 'string' && sid !== '' ? { sid } : {}
  if (!('subject' in subject) && !('sid' in session))
    throw new Fault('nonsense', 'it says neither who nor which session')
  const until = Math.floor(now / 1000) + oldestSeconds + clockToleranceSeconds
  if (!(await firstUse(`logout ${issuer} ${jti}`, until)))
    throw new Fault('forged', 'it came before')
  return { kind: 'ended', issuer, ...subject, ...session }
}

const says = (events: JWTPayload[string]): boolean =>
  typeof events === 'object' && events !== null && Object.hasOwn(events, event)

export type EndSession = {
  endpoint: string
  clientId: string
  names: OidcSettings['end_session_names']
  hint?: string
  returnTo: string
  state: string
}

/** Where she signs out there. */
export function endSessionUrl(asked: EndSession): string {
  const { endpoint, clientId, names, hint, returnTo, state } = asked
  const url = new URL(endpoint)
  url.searchParams.set('client_id', clientId)
  url.searchParams.set(names.post_logout_redirect_uri, returnTo)
  url.searchParams.set('state', state)
  if (hint !== undefined) url.searchParams.set(names.id_token_hint, hint)
  return url.href
}
