/** Publishes successors of keys in time, and removes keys nobody needs any more. */
import type { Log } from '#lib/log.ts'
import type { Now } from '#lib/time.ts'
import type { KeyEncryption } from '#oidc/key-encryption.ts'
import { rotateDueKeys } from '#oidc/key-rotation.ts'
import type { KeyRules } from '#oidc/key-schedule.ts'
import type { Store } from '#store/store.ts'
import type { Job } from './runner.ts'

export function openKeyRotation(ports: {
  store: Pick<Store, 'keyRing' | 'transaction'>
  kek: KeyEncryption
  now: Now
  keyRules: KeyRules
  log: Log
}): Job {
  const { store, kek, now, keyRules, log } = ports
  return {
    name: 'keys',
    // Often enough for rules that count in hours; every process takes the new ones over by itself.
    everySeconds: Math.min(3600, Math.ceil(keyRules.publishAhead / 4)),
    async run() {
      const { made, removed } = await rotateDueKeys(store, kek, now, keyRules)
      if (made.length + removed.length > 0) log.info({ made, removed }, 'the key ring changed')
    },
  }
}
