/** Goes on where an app's artefacts were too many to end in the moment it was disabled or removed. */
import { type Now, seconds } from '#lib/time.ts'
import { endings, finishEnding } from '#oidc/ending.ts'
import type { Store } from '#store/store.ts'
import type { Job } from './runner.ts'

export const endIssued = 'end-issued'

export function openEnding(
  store: Pick<Store, 'jobPositions' | 'sweeps' | 'transaction'>,
  now: Now,
): Job {
  return {
    name: endIssued,
    everySeconds: 15,
    async run(signal) {
      for (const { job } of await store.jobPositions.list(endings)) {
        await finishEnding(store, job.slice(endings.length), seconds(now), signal)
      }
    },
  }
}
