/** Writes down, every hour and in two places, how far each chain of the audit trail has come. */
import type { Log } from '#lib/log.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'
import type { Job } from './runner.ts'

const hour = 60 * 60

/**
 * A chain that is cut off at its end no longer has the head another chain saw. The same heads go to the log, which is
 * kept elsewhere: who rewrites the whole table with a stolen key cannot reach them there.
 */
export function openCheckpoint(
  store: Pick<Store, 'audit' | 'auditReads'>,
  now: Now,
  log: Log,
): Job {
  return {
    name: 'audit-checkpoint',
    everySeconds: hour,
    async run() {
      const at = seconds(now)
      const [last] = await store.auditReads.list({ action: 'audit.checkpoint', limit: 1 })
      // Over the last one, so that what was written while it was made is seen by this one.
      const since = last ? last.at - hour : 0
      const found = await store.auditReads.heads(since)
      const heads = Object.fromEntries(found.map(({ chain, seq, hash }) => [chain, [seq, hash]]))
      await store.audit.record({
        at,
        actor: 'system',
        action: 'audit.checkpoint',
        outcome: 'ok',
        details: { heads },
      })
      log.info({ heads }, 'audit head')
    },
  }
}
