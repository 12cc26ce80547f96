/** The keys the program works with: opened from the ring, made at the first start. */
import type { JWK } from 'oidc-provider'
import { deriveKey } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'
import type { KeyEncryption } from './key-encryption.ts'
import { type KeyRules, keyLines, lineOf, nextName } from './key-schedule.ts'
import { makeSecret } from './make-key.ts'
import { openRing, type RingKey } from './ring.ts'

/** One object for the life of the process: `signing` and `cookie` are exchanged when the ring changes. */
export type Keys = {
  /** Private JWKs, RS256 first: it is the default for relying parties. Of each algorithm the first one signs. */
  signing: JWK[]
  /** The first one signs, all verify. */
  cookie: Buffer[]
  pairwiseSalt: Buffer
  /** Seals what we must read again: trips, device codes. */
  data: Buffer
  /** Authenticates form tokens. */
  form: Buffer
  /** Authenticates the audit trail. */
  audit: Buffer
}

const permanent: { purpose: Permanent; alg?: undefined }[] = [
  { purpose: 'pairwise' },
  { purpose: 'data' },
  { purpose: 'audit' },
]
type Permanent = 'pairwise' | 'data' | 'audit'

/**
 * Opens the ring, making what is missing. Throws in words for the operator when the key-encryption key is
 * not the one the ring was sealed with: new signing keys are never made silently.
 */
export async function openKeys(
  store: Store,
  kek: KeyEncryption,
  now: Now,
  rules: KeyRules,
): Promise<Keys> {
  const before = openRing(await store.keyRing.list(), kek)
  const missing = [...keyLines, ...permanent].filter(
    ({ purpose, alg }) => !before.some((key) => key.purpose === purpose && key.alg === alg),
  )
  await Promise.all(
    missing.map(async (line) => {
      const name = nextName(before, line)
      const sealed = kek.seal(name, await makeSecret(line.alg), before[0]?.kekId)
      const at = seconds(now)
      // Used at once: nobody knows us yet, so there is no one to announce a first key to.
      const row = { name, purpose: line.purpose, createdAt: at, signsAt: at }
      await store.keyRing.add({ ...row, ...sealed })
    }),
  )
  const ring = missing.length > 0 ? openRing(await store.keyRing.list(), kek) : before
  const data = permanentKey(ring, 'data')
  return {
    ...changingKeys(ring, seconds(now), rules),
    pairwiseSalt: permanentKey(ring, 'pairwise'),
    data: deriveKey(data, 'sealed columns'),
    form: deriveKey(data, 'form tokens'),
    audit: permanentKey(ring, 'audit'),
  }
}

function permanentKey(ring: RingKey[], purpose: Permanent): Buffer {
  const key = ring.findLast((one) => one.purpose === purpose)
  if (!key)
    throw new Error(`the key ring has no ${purpose} key: put the database back from a backup`)
  return Buffer.from(key.secret, 'base64url')
}

/** The keys that follow each other, as they stand at this moment. */
export function changingKeys(
  ring: RingKey[],
  at: number,
  rules: KeyRules,
): Pick<Keys, 'signing' | 'cookie'> {
  const secrets = (purpose: string) =>
    keyLines
      .filter((line) => line.purpose === purpose)
      .flatMap((line) => lineOf(ring, line, at, rules))
      .map(({ secret }) => secret)
  return {
    signing: secrets('signing').map((secret): JWK => JSON.parse(secret)),
    cookie: secrets('cookie').map((secret) => Buffer.from(secret, 'base64url')),
  }
}
