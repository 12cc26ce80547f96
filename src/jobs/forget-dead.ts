/** Drops messages that were given up long ago: a mail nobody looked at holds a person's address and an old link. */
import { day, type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'
import type { Job } from './runner.ts'

const keptSeconds = 30 * day

export function openForgetting({ outbox }: Pick<Store, 'outbox'>, now: Now): Job {
  return {
    name: 'outbox',
    everySeconds: 3600,
    async run() {
      await outbox.dropDead(seconds(now) - keptSeconds)
    },
  }
}
