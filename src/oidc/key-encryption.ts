/** Key-encryption keys: they seal the ring's rows, and nothing else. */
import { WrongKeyError } from '#errors.ts'
import { deriveKey, seal, unseal } from '#lib/crypto.ts'
import type { KeyRow } from '#store/store.ts'

export type KeyEncryption = {
  /** Throws WrongKeyError when none of the key-encryption keys given sealed this row. */
  open(row: KeyRow): { secret: string; kekId: string }
  /** Seals under the key-encryption key of that id, else under the first one given. */
  seal(name: string, secret: string, kekId?: string): { sealed: string; kekId: string }
}

type Kek = { id: string; key: Buffer }

/** Two may live at once: the one to use from now on first, the previous one after it. */
export function openKeyEncryption(first: Buffer, ...others: Buffer[]): KeyEncryption {
  const using = derive(first)
  const all = [using, ...others.map(derive)]
  return {
    open(row) {
      let cause: unknown
      for (const { id, key } of all.filter(({ id }) => !row.kekId || id === row.kekId)) {
        try {
          return { secret: unseal(key, row.sealed, contextOf(row.name)), kekId: id }
        } catch (error) {
          cause = error
        }
      }
      const given = all.map(({ id }) => id)
      throw new WrongKeyError(row.kekId, given, { cause })
    },
    seal(name, secret, kekId = using.id) {
      const { id, key } = all.find((kek) => kek.id === kekId) ?? using
      return { sealed: seal(key, secret, contextOf(name)), kekId: id }
    },
  }
}

/** The id tells one from another and gives nothing away. */
const derive = (kek: Buffer): Kek => ({
  id: deriveKey(kek, 'citygate key-encryption key id').toString('hex').slice(0, 12),
  key: deriveKey(kek, 'citygate key ring'),
})

const contextOf = (name: string) => `key_ring.${name}`
