/** How we prove ourselves at the token endpoint: exactly as configured, whatever discovery offers. */
import { createPrivateKey } from 'node:crypto'
import { importJWK, type JWK } from 'jose'
import {
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type CryptoKey,
  modifyAssertion,
  PrivateKeyJwt,
} from 'openid-client'
import type { Credentials, OidcSettings } from '#config/connector.ts'
import { Fault } from '../../calls/fault.ts'

/** Kaohsiung's discovery offers Basic and its token endpoint refuses it: hence the operator's word, not theirs. */
export async function clientAuth(
  method: OidcSettings['token_auth'],
  { clientSecret, privateKey }: Credentials,
  now: () => number,
): Promise<ClientAuth> {
  switch (method) {
    case 'client_secret_basic':
      return ClientSecretBasic(required(clientSecret, 'client secret'))
    case 'client_secret_post':
      return ClientSecretPost(required(clientSecret, 'client secret'))
    case 'private_key_jwt':
      return PrivateKeyJwt(await readKey(required(privateKey, 'private key')), {
        [modifyAssertion]: (_, payload) => stamp(payload, Math.floor(now() / 1000)),
      })
  }
}

/** The library writes the machine's time into the assertion (RFC 7523 §3); ours is the one we are lent. */
function stamp(payload: Record<string, unknown>, at: number) {
  Object.assign(payload, { iat: at, nbf: at, exp: at + 60 })
}

function required(value: string | undefined, what: string): string {
  if (!value) throw new Fault('nonsense', `no ${what} is configured on our side`)
  return value
}

const algorithms: Record<string, string> = { RSA: 'RS256', EC: 'ES256', OKP: 'EdDSA' }

/** A JWK, or a PKCS#8 PEM whose line ends may be written `\n` as environment files want them. */
async function readKey(written: string): Promise<{ key: CryptoKey; kid?: string }> {
  try {
    const jwk: JWK = written.trimStart().startsWith('{')
      ? JSON.parse(written)
      : createPrivateKey(written.replaceAll('\\n', '\n')).export({ format: 'jwk' })
    const key = await importJWK(jwk, jwk.alg ?? algorithms[jwk.kty ?? ''])
    if (key instanceof Uint8Array) throw new TypeError('a symmetric key signs nothing here')
    return { key, kid: jwk.kid }
  } catch {
    // Without the cause: a parser's message may quote the key.
    throw new Fault('nonsense', 'our private key cannot be read')
  }
}
