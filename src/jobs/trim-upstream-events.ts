/** Removes events of upstreams that are older, or more, than staff look at. */
import { day, type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'
import { failuresKept } from '#store/upstream-events.ts'
import type { Job } from './runner.ts'

export const keptEvents = {
  /** Of each upstream. Failures count apart from other events: many of them must not push out a change of state. */
  failures: failuresKept,
  others: 1_000,
  /** Longer than the days staff are shown. */
  seconds: 40 * day,
}

export const openTrimming = (store: Pick<Store, 'upstreamEvents'>, now: Now): Job => ({
  name: 'trim-upstream-events',
  everySeconds: 10 * 60,
  run: () =>
    store.upstreamEvents.trim({
      failures: keptEvents.failures,
      others: keptEvents.others,
      before: seconds(now) - keptEvents.seconds,
    }),
})
