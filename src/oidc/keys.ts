/** The key ring: signing keys, cookie keys, the pairwise salt and the data key, made once and kept sealed. */
import { generateKeyPair, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import type { JWK } from 'oidc-provider'
import { deriveKey, seal, sha256, unseal } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { KeyRow, Store } from '#store/store.ts'

export type Keys = {
  /** Private JWKs, RS256 first: it is the default for relying parties. */
  signing: JWK[]
  cookie: Buffer[]
  pairwiseSalt: Buffer
  /** Seals what we must read again: trips, device codes. */
  data: Buffer
  /** Authenticates form tokens. */
  form: Buffer
}

type Making = { name: string; purpose: string; make: () => Promise<string> }

const secret = async () => randomBytes(32).toString('base64url')

const needed: Making[] = [
  { name: 'signing-rs256-1', purpose: 'signing', make: () => signingKey('RS256') },
  { name: 'signing-es256-1', purpose: 'signing', make: () => signingKey('ES256') },
  { name: 'cookie-1', purpose: 'cookie', make: secret },
  { name: 'pairwise-1', purpose: 'pairwise', make: secret },
  { name: 'data-1', purpose: 'data', make: secret },
]

/**
 * Opens the ring, making what is missing. Throws in words for the operator when the key-encryption key is
 * not the one the ring was sealed with: new signing keys are never made silently.
 */
export async function openKeys(store: Store, kek: Buffer, now: Now): Promise<Keys> {
  const key = deriveKey(kek, 'citygate key ring')
  const before = await store.keyRing.list()
  for (const row of before) open(row, key)

  const missing = needed.filter(({ name }) => !before.some((row) => row.name === name))
  await Promise.all(
    missing.map(async ({ name, purpose, make }) => {
      const sealed = seal(key, await make(), `key_ring.${name}`)
      await store.keyRing.add({ name, purpose, sealed, createdAt: seconds(now) })
    }),
  )
  const rows = missing.length > 0 ? await store.keyRing.list() : before

  const texts = (purpose: string) =>
    rows.filter((row) => row.purpose === purpose).map((row) => open(row, key))
  const newest = (purpose: string) => Buffer.from(texts(purpose).at(-1) ?? '', 'base64url')
  const signing = texts('signing').map((text): JWK => JSON.parse(text))
  const data = newest('data')
  return {
    signing: signing.sort((a, b) => rank(a) - rank(b)),
    cookie: texts('cookie')
      .reverse()
      .map((text) => Buffer.from(text, 'base64url')),
    pairwiseSalt: newest('pairwise'),
    data: deriveKey(data, 'sealed columns'),
    form: deriveKey(data, 'form tokens'),
  }
}

const rank = (jwk: JWK) => (jwk.alg === 'RS256' ? 0 : 1)

function open(row: KeyRow, key: Buffer): string {
  try {
    return unseal(key, row.sealed, `key_ring.${row.name}`)
  } catch (cause) {
    throw new Error(
      'the key-encryption key does not open this database: give the CITYGATE_KEK it was made with',
      { cause },
    )
  }
}

async function signingKey(alg: 'RS256' | 'ES256'): Promise<string> {
  const generate = promisify(generateKeyPair)
  const { privateKey } =
    alg === 'RS256'
      ? await generate('rsa', { modulusLength: 3072 })
      : await generate('ec', { namedCurve: 'P-256' })
  const jwk = privateKey.export({ format: 'jwk' })
  // The public part names the key, so that the same key has the same kid everywhere (RFC 7638 in spirit).
  const kid = sha256(`${jwk.kty}.${jwk.n ?? `${jwk.x}.${jwk.y}`}`).slice(0, 16)
  return JSON.stringify({ ...jwk, kid, alg, use: 'sig' })
}
