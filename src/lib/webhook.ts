/** Signatures of Standard Webhooks 1.0, with a shared secret. */
import { equalInConstantTime, hmac } from './crypto.ts'

export type Signed = { id: string; timestamp: number; body: string }

const prefix = 'whsec_'

/** `whsec_` and 24 to 64 bytes in base64. Undefined for anything else. */
export function readWebhookSecret(text: string): Buffer | undefined {
  const encoded = text.startsWith(prefix) ? text.slice(prefix.length) : ''
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined
  const secret = Buffer.from(encoded, 'base64')
  return secret.length >= 24 && secret.length <= 64 ? secret : undefined
}

/** `v1,` and the HMAC-SHA-256 in base64. */
export function signWebhook(secret: Buffer, { id, timestamp, body }: Signed): string {
  const signature = hmac(secret, `${id}.${timestamp}.${body}`)
  return `v1,${Buffer.from(signature, 'base64url').toString('base64')}`
}

/** Whether one of the signatures, which are separated by spaces, is ours. */
export function isSignedWebhook(secret: Buffer, signed: Signed, signatures: string): boolean {
  const ours = signWebhook(secret, signed)
  return signatures.split(' ').some((one) => equalInConstantTime(one, ours))
}
