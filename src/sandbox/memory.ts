/** What a pretend county must remember over a restart: its signing key, its cookie key, its certificate. */
import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { type Certificate, type CertificateWish, makeCertificate } from './certificates.ts'

/** Lent by wiring.ts: a few small strings that outlive the process. */
export type SandboxMemory = {
  get(key: string): Promise<string | undefined>
  set(key: string, value: string): Promise<void>
}

async function recall(memory: SandboxMemory, key: string, make: () => Promise<string>) {
  const known = await memory.get(key)
  if (known !== undefined) return known
  const made = await make()
  await memory.set(key, made)
  return made
}

/** The private RSA key one county signs with, made when first asked for. */
export async function signingKey(memory: SandboxMemory, county: string): Promise<JWK> {
  const text = await recall(memory, `sandbox.${county}.signing-key`, async () => {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true })
    return JSON.stringify({ ...(await exportJWK(privateKey)), use: 'sig', alg: 'RS256' })
  })
  return JSON.parse(text)
}

/** The key one county signs its cookies with, so that a session outlives the process. */
export function cookieKey(memory: SandboxMemory, county: string): Promise<string> {
  return recall(memory, `sandbox.${county}.cookie-key`, async () =>
    randomBytes(32).toString('base64url'),
  )
}

/** A certificate with its key, made when first asked for and good for twenty years. */
export async function keptCertificate(
  memory: SandboxMemory,
  name: string,
  wish: Omit<CertificateWish, 'from' | 'until'>,
): Promise<Certificate> {
  const text = await recall(memory, `sandbox.${name}.certificate`, async () => {
    // Whoever checks it goes by the machine's own clock.
    const day = 24 * 60 * 60 * 1000
    const after = (days: number) => new Date(Date.now() + days * day)
    const lasts = { from: after(-1), until: after(20 * 365) }
    return JSON.stringify(await makeCertificate({ ...wish, ...lasts }))
  })
  return JSON.parse(text)
}
