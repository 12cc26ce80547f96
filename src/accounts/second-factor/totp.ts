/** Codes of an authenticator app (RFC 6238): what every such app does without being told more than the secret. */
import { seal, unseal } from '#lib/crypto.ts'
import { once } from '#lib/once.ts'
import type { FactorRow } from '#store/store.ts'

const shape = { algorithm: 'SHA1', digits: 6, period: 30 } as const

/** One step before and one after: clocks of telephones differ, and people type slowly. */
const window = 1

/** RFC 4226 §4 recommends 160 bits. */
const secretBytes = 20

const open = once(() => import('otpauth'))

/** In base32, as people type it into an app that cannot see the picture. */
export async function newTotpSecret(): Promise<string> {
  const { Secret } = await open()
  return new Secret({ size: secretBytes }).base32
}

/** What the picture says. */
export async function totpUri(
  secret: string,
  { issuer, account }: { issuer: string; account: string },
): Promise<string> {
  const { Secret, TOTP } = await open()
  return new TOTP({
    ...shape,
    secret: Secret.fromBase32(secret),
    // A colon parts one from the other.
    issuer: issuer.replaceAll(':', ' '),
    label: account.replaceAll(':', ' '),
  }).toString()
}

/** The step a code is of, which may have been used before; undefined for a wrong one. */
export async function stepOf(
  secret: string,
  typed: string,
  at: number,
): Promise<number | undefined> {
  const token = typed.normalize('NFKC').replaceAll(/[\s-]+/g, '')
  if (!/^\d{6}$/.test(token)) return undefined
  const { Secret, TOTP } = await open()
  const timestamp = at * 1000
  const known = { ...shape, secret: Secret.fromBase32(secret), timestamp }
  const delta = TOTP.validate({ ...known, token, window })
  return delta === null ? undefined : TOTP.counter({ ...shape, timestamp }) + delta
}

const context = (id: string) => `second_factor.secret.${id}`

/** The secret as it is kept with the factor of this id. */
export const sealTotp = (key: Buffer, id: string, secret: string): string =>
  seal(key, secret, context(id))

/** The secret of a factor as it is kept. Throws where it was sealed under another key. */
export const openTotp = (key: Buffer, { id, secret }: Pick<FactorRow, 'id' | 'secret'>): string =>
  unseal(key, secret, context(id))
