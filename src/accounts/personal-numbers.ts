/** How national ids and their like are sealed: by whoever takes them, and for whoever shows them to their owner. */
import { deriveKey, seal, unseal } from '#lib/crypto.ts'

export const numberKeyOf = (dataKey: Buffer): Buffer => deriveKey(dataKey, 'personal numbers')

/** Bound to its kind and its owner. */
export const numberContext = (type: string, accountId: string) =>
  `personal_number.${type}.${accountId}`

export const openNumber = (
  key: Buffer,
  { type, accountId, sealed }: { type: string; accountId: string; sealed: string },
): string => unseal(key, sealed, numberContext(type, accountId))

/** The same number sealed for another owner. */
export const sealFor = (
  key: Buffer,
  row: { type: string; accountId: string; sealed: string },
  owner: string,
): string => seal(key, openNumber(key, row), numberContext(row.type, owner))
