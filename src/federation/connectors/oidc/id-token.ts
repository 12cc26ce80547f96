/** The ID token, verified (OpenID Connect Core 1.0 §3.1.3.7). */
import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify, type LocalJWKSet } from 'jose'
import { Fault } from '../../calls/fault.ts'
import type { Fresh } from '../../calls/fresh.ts'

/** Seconds their clock may differ from ours. */
export const clockToleranceSeconds = 30

export type Expected = {
  issuer: string
  clientId: string
  nonce: string
  algorithms: string[]
  /** Milliseconds since 1970. */
  now: number
}

export type IdTokenClaims = JWTPayload & { sub: string }

/**
 * The claims of a token that one of the upstream's keys signed for us just now. The signature is
 * always checked: that the token came over TLS does not say who put it there.
 */
export async function verifyIdToken(
  idToken: string,
  keySet: Pick<Fresh<LocalJWKSet>, 'get' | 'renew'>,
  expected: Expected,
): Promise<IdTokenClaims> {
  const options: JWTVerifyOptions = {
    algorithms: expected.algorithms,
    issuer: expected.issuer,
    audience: expected.clientId,
    requiredClaims: ['sub', 'exp', 'iat', 'nonce'],
    clockTolerance: clockToleranceSeconds,
    currentDate: new Date(expected.now),
  }
  const claims = await verifyWithNewestKeys(idToken, keySet, options)
  check(claims, expected)
  return claims
}

/** The claims of a token one of the upstream's keys signed, read anew once if none fits. */
export async function verifyWithNewestKeys(
  idToken: string,
  keySet: Pick<Fresh<LocalJWKSet>, 'get' | 'renew'>,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return await verifyWithAnyKey(idToken, await keySet.get(), options)
  } catch (error) {
    // Where keys have no kid (the Ministry's), a new key shows itself only by a signature that does not fit.
    const rotated =
      error instanceof errors.JWKSNoMatchingKey ||
      error instanceof errors.JWSSignatureVerificationFailed
    const newer = rotated ? await keySet.renew() : undefined
    if (!newer) throw error
    return verifyWithAnyKey(idToken, newer, options)
  }
}

/** A token without kid may be signed by any of the keys that suit its algorithm. */
async function verifyWithAnyKey(
  idToken: string,
  keys: LocalJWKSet,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(idToken, keys, options)).payload
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    for await (const key of error) {
      try {
        return (await jwtVerify(idToken, key, options)).payload
      } catch (inner) {
        if (!(inner instanceof errors.JWSSignatureVerificationFailed)) throw inner
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

function check(claims: JWTPayload, expected: Expected): asserts claims is IdTokenClaims {
  const { sub, nonce, azp, aud, iat = 0 } = claims
  if (typeof sub !== 'string' || sub === '' || sub.length > 255) {
    throw new Fault('nonsense', 'sub is not a string of 1 to 255 characters')
  }
  if (nonce !== expected.nonce) throw new Fault('forged', 'nonce is not the one we sent')
  // Issued to another client and merely readable by us: not an answer to our question.
  const several = Array.isArray(aud) && aud.length > 1
  if ((several || azp !== undefined) && azp !== expected.clientId) {
    throw new Fault('forged', 'azp is somebody else')
  }
  if (iat > expected.now / 1000 + clockToleranceSeconds) {
    throw new Fault('forged', 'iat is in the future')
  }
}
