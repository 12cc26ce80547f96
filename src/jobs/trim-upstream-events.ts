/** Keeps of what happened at upstreams as much as staff look at. */
import { type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'
import type { Job } from './runner.ts'

const day = 24 * 60 * 60

export const keptEvents = {
  /** Of each upstream; what people failed at, apart from the rest: many of them push no change of state out. */
  failures: 200,
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
