/** How national ids and their like are sealed: by whoever takes them, and for whoever shows them to their owner. */
import { deriveKey, unseal } from '#lib/crypto.ts'

export const numberKeyOf = (dataKey: Buffer): Buffer => deriveKey(dataKey, 'personal numbers')

/** Bound to its kind and its owner. */
export const numberContext = (type: string, accountId: string) =>
  `personal_number.${type}.${accountId}`

export const openNumber = (
  key: Buffer,
  { type, accountId, sealed }: { type: string; accountId: string; sealed: string },
): string => unseal(key, sealed, numberContext(type, accountId))
