/** Makes the secret of a new key. */
import { generateKeyPair, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { sha256, withoutDashAtHead } from '#lib/crypto.ts'
import type { SigningAlg } from './key-schedule.ts'

/** A private JWK for a signature algorithm, else 32 random bytes. */
export async function makeSecret(alg?: SigningAlg): Promise<string> {
  if (!alg) return randomBytes(32).toString('base64url')
  const generate = promisify(generateKeyPair)
  const { privateKey } =
    alg === 'RS256'
      ? await generate('rsa', { modulusLength: 3072 })
      : await generate('ec', { namedCurve: 'P-256' })
  const jwk = privateKey.export({ format: 'jwk' })
  // The public part names the key, so that the same key has the same kid everywhere (RFC 7638 in spirit).
  const named = sha256(`${jwk.kty}.${jwk.n ?? `${jwk.x}.${jwk.y}`}`).slice(0, 16)
  const kid = withoutDashAtHead(named)
  return JSON.stringify({ ...jwk, kid, alg, use: 'sig' })
}
