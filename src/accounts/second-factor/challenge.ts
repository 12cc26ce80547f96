/** What a passkey is to sign: good for one purpose, one account and one browser, for a while, and once. Nothing is kept. */
import { deriveKey, equalInConstantTime, hmac, randomToken, sha256 } from '#lib/crypto.ts'

/** Seconds. */
const lasts = 5 * 60

export type Challenged = {
  purpose: 'prove' | 'add'
  accountId: string
  /** SHA-256 of the browser's device cookie. */
  device: string
}

const markOf = (dataKey: Buffer, { purpose, accountId, device }: Challenged, rest: string) =>
  hmac(deriveKey(dataKey, 'passkey challenges'), JSON.stringify([purpose, accountId, device, rest]))

/** A challenge for this purpose, account and browser, good for five minutes from `at`. */
export function makeChallenge(dataKey: Buffer, whom: Challenged, at: number): string {
  const rest = `${randomToken()}.${at + lasts}`
  return `${rest}.${markOf(dataKey, whom, rest)}`
}

/** What it is used up under, and until when; undefined for one we did not make, or that is over. */
export function readChallenge(
  dataKey: Buffer,
  whom: Challenged,
  /** As it stands in what was signed: base64url once more. */
  signed: string,
  at: number,
): { id: string; expiresAt: number } | undefined {
  const challenge = Buffer.from(signed, 'base64url').toString()
  const [nonce = '', until = '', mark = ''] = challenge.split('.')
  if (!equalInConstantTime(mark, markOf(dataKey, whom, `${nonce}.${until}`))) return undefined
  const expiresAt = Number(until)
  return at < expiresAt ? { id: sha256(challenge), expiresAt } : undefined
}
