/** Hashes, random values and sealing: the only places that call node:crypto for them. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hash,
  hkdfSync,
  randomBytes,
  randomInt,
  timingSafeEqual,
} from 'node:crypto'

/** 256 bits, base64url, 43 characters. */
export const randomToken = (): string => randomBytes(32).toString('base64url')

/** Never begins with a dash, as one in 64 would: a command line takes that for an option. */
export const withoutDashAtHead = (base64url: string): string => base64url.replace(/^-/, '_')

/** So many letters of an alphabet, each as likely as any other. */
export const randomLetters = (alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')

/** Base64url SHA-256, 43 characters: how we keep what a bearer presents. */
export const sha256 = (value: string): string => hash('sha256', value, 'base64url')

/** Compares without telling by its time where the values differ. */
export function equalInConstantTime(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Base64url HMAC-SHA-256. */
export const hmac = (key: Buffer, value: string): string =>
  createHmac('sha256', key).update(value).digest('base64url')

/** A 32-byte key for one purpose, so that no key serves two (RFC 5869). */
export const deriveKey = (key: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), purpose, 32))

/**
 * AES-256-GCM. `context` (table, column, row) is authenticated with it: a sealed value copied to
 * another place does not open.
 */
export function seal(key: Buffer, text: string, context: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return `v1.${Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url')}`
}

/** Opens what `seal` gave. Throws if the key, the context or a single bit differs. */
export function unseal(key: Buffer, sealed: string, context: string): string {
  const [version, data] = sealed.split('.')
  if (version !== 'v1' || !data) throw new Error('sealed value has an unknown version')
  const bytes = Buffer.from(data, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), {
    authTagLength: 16,
  })
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-16))
  return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString(
    'utf8',
  )
}
