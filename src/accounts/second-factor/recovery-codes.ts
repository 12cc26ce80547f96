/** Codes to be kept on paper, for whoever lost her telephone: each is good once. */
import { deriveKey, hmac, randomLetters } from '#lib/crypto.ts'

const codeCount = 10

/** No 0, 1, i, l, o and u: they are read off paper. Twelve of 30 letters are 58 bits. */
const letters = '23456789abcdefghjkmnpqrstvwxyz'
const length = 12

/** `k7mw-q2xd-9hfp`. */
export const makeRecoveryCodes = (): string[] =>
  Array.from({ length: codeCount }, () =>
    randomLetters(letters, length).replaceAll(/(.{4})(?=.)/g, '$1-'),
  )

/** How a code is kept. Keyed: it is short enough to be guessed by whoever has the database. */
export const recoveryDigest = (dataKey: Buffer, accountId: string, typed: string): string =>
  hmac(deriveKey(dataKey, 'recovery codes'), JSON.stringify([accountId, plainCode(typed)]))

const plainCode = (typed: string): string =>
  typed
    .slice(0, 100)
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^0-9a-z]/g, '')
