/** Keeps a running process's keys as the ring has them, whoever changed it. */
import type { Log } from '#lib/log.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { KeyRow, Store } from '#store/store.ts'
import type { KeyEncryption } from './key-encryption.ts'
import { type KeyRules, nextChange } from './key-schedule.ts'
import { changingKeys, type Keys } from './keys.ts'
import { openRow, type RingKey } from './ring.ts'

export type FollowPorts = {
  store: Pick<Store, 'keyRing'>
  kek: KeyEncryption
  now: Now
  rules: KeyRules
  log: Log
  /** The signing keys are others now, or another one signs. */
  onSigningKeys: () => void
}

export type Follower = {
  /** Looks at the ring now. Never rejects: without a database the known keys go on by their dates. */
  look(): Promise<void>
  close(): Promise<void>
}

/** Looks at the ring every so often, and at the moment a key takes over. */
export function followKeys(keys: Keys, ports: FollowPorts): Follower {
  const { store, kek, now, rules, log, onSigningKeys } = ports
  const known = new Map<string, { row: KeyRow; key: RingKey }>()
  let ring: RingKey[] = []
  let timer: NodeJS.Timeout | undefined
  let looking = Promise.resolve()
  let open = true

  async function read() {
    const rows = await store.keyRing.list()
    ring = rows.flatMap((row) => {
      const before = known.get(row.name)
      if (before?.row.sealed === row.sealed) return [before.key]
      try {
        const key = openRow(row, kek)
        known.set(row.name, { row, key })
        return [key]
      } catch (error) {
        log.error({ err: error, key: row.name }, 'a key of the ring cannot be opened; restart')
        // Sealed anew under a key-encryption key we were not given: it is the same secret still.
        return before?.row.createdAt === row.createdAt ? [before.key] : []
      }
    })
  }

  async function lookOnce() {
    clearTimeout(timer)
    try {
      await read()
    } catch (error) {
      log.warn({ err: error }, 'the key ring cannot be read; going on with the keys we have')
    }
    if (ring.length > 0) apply()
    if (open) timer = setTimeout(() => void look(), wait()).unref()
  }

  function apply() {
    const fresh = changingKeys(ring, seconds(now), rules)
    const same = kidsOf(fresh) === kidsOf(keys)
    Object.assign(keys, fresh)
    if (same) return
    onSigningKeys()
    log.info({ kids: fresh.signing.map(({ kid }) => kid) }, 'signing keys changed')
  }

  function wait(): number {
    const change = nextChange(ring, seconds(now))
    const untilChange = change === undefined ? Infinity : change * 1000 - now()
    return Math.min(rules.follow * 1000, untilChange)
  }

  function look() {
    looking = looking.then(() => (open ? lookOnce() : undefined))
    return looking
  }

  void look()
  return {
    look,
    async close() {
      open = false
      clearTimeout(timer)
      await looking
    },
  }
}

const kidsOf = ({ signing }: Pick<Keys, 'signing'>) => signing.map(({ kid }) => kid).join()
