/** The demo app's end of back-channel logout. */
import { type JWTVerifyGetKey, jwtVerify } from 'jose'

const event = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * The session a good logout token ends, or undefined (OpenID Connect Back-Channel Logout 1.0 §2.6).
 * The demo is registered with `backchannel_logout_session_required`: without `sid` it ends nothing.
 */
export async function readLogoutToken(
  token: string,
  jwks: JWTVerifyGetKey,
  { issuer, clientId }: { issuer: string; clientId: string },
): Promise<string | undefined> {
  try {
    const { payload } = await jwtVerify(token, jwks, {
      issuer,
      audience: clientId,
      typ: 'logout+jwt',
      requiredClaims: ['iat', 'exp', 'jti', 'events'],
    })
    const { events, sid } = payload
    const ours = typeof events === 'object' && events !== null && Object.hasOwn(events, event)
    return ours && typeof sid === 'string' && !('nonce' in payload) ? sid : undefined
  } catch {
    return undefined
  }
}
