/** The key ring's rows, opened: what each secret is called and when it counts. */
import type { JWK } from 'oidc-provider'
import type { KeyRow } from '#store/store.ts'
import type { KeyEncryption } from './key-encryption.ts'

export type RingKey = {
  name: string
  purpose: string
  /** What tokens and operators call it: a signing key's `kid`, any other's name. */
  kid: string
  alg?: string
  createdAt: number
  signsAt?: number
  /** The key-encryption key that opened it. */
  kekId: string
  /** A private JWK, or 32 bytes in base64url. */
  secret: string
}

/** Throws in words when the key-encryption key is not the ring's. */
export const openRing = (rows: KeyRow[], kek: KeyEncryption): RingKey[] =>
  rows.map((row) => openRow(row, kek))

export function openRow({ sealed, ...row }: KeyRow, kek: KeyEncryption): RingKey {
  const key = { ...row, kid: row.name, ...kek.open({ ...row, sealed }) }
  if (row.purpose !== 'signing') return key
  const { kid = key.kid, alg }: JWK = JSON.parse(key.secret)
  return { ...key, kid, alg }
}
