/** What an upstream published, kept over its outages and our restarts. */
import type { FederationPorts } from '../connector.ts'

export type Shelf = {
  /** Unless it is too old. `at`: when it was read, in milliseconds. */
  find(): Promise<{ text: string; at: number } | undefined>
  /** In the background: nobody who signs in waits for it. */
  keep(text: string): void
}

const hour = 60 * 60 * 1000

/**
 * A week covers every outage anybody came back from with the same keys. Later an upstream may have moved, or withdrawn a
 * key that was stolen: what it said then no longer counts as its word.
 */
export const oldestMs = 7 * 24 * hour

/** The same text is not written each time it is read, but now and then: another process may have kept another one. */
const againAfterMs = hour

/** Clocks differ by no more. */
const aheadMs = hour

export function openShelf(
  { documents, now }: Pick<FederationPorts, 'documents' | 'now'>,
  key: string,
): Shelf {
  let last: { text: string; at: number } | undefined
  return {
    async find() {
      const found = await documents.find(key)
      if (!found) return undefined
      const at = found.readAt * 1000
      const age = now() - at
      return age < oldestMs && age > -aheadMs ? { text: found.text, at } : undefined
    },
    keep(text) {
      if (last?.text === text && Math.abs(now() - last.at) < againAfterMs) return
      last = { text, at: now() }
      documents.keep(key, text).catch(() => {
        last = undefined
      })
    },
  }
}
