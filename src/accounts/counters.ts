/** Counts all processes share, under names nobody can read back: what is counted is about people. */
import { hmac } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'

export type Hit = {
  /** What is counted and of whom: `['wrong code', device]`. */
  of: string[]
  /** One if not said. */
  points?: number | 'none'
  /** How long a window lasts. */
  seconds: number
  /** From now on nothing more for so long. */
  waitSeconds?: number
}

export type Count = {
  points: number
  /** Until somebody who has to wait may go on, or zero. */
  waitSeconds: number
  /** Until the window ends. */
  leftSeconds: number
}

export type Counters = {
  /** Adds to one to four counters, in one statement, and tells how they stand. */
  hit<Hits extends [Hit, ...Hit[]]>(...hits: Hits): Promise<{ [I in keyof Hits]: Count }>
}

export type CounterPorts = {
  store: Pick<Store, 'limits'>
  now: Now
  key: Buffer
}

export function openCounters({ store, now, key }: CounterPorts): Counters {
  return {
    async hit(...hits) {
      const at = seconds(now)
      const counts = await store.limits.hit(
        hits.map(({ of, points = 1, seconds: window, waitSeconds }) => ({
          key: hmac(key, JSON.stringify(of)),
          points,
          expiresAt: at + window,
          ...(waitSeconds === undefined ? {} : { waitUntil: at + waitSeconds }),
        })),
        at,
      )
      return counts.map(({ points, waitUntil, expiresAt }) => ({
        points,
        waitSeconds: Math.max(0, waitUntil - at),
        leftSeconds: Math.max(1, expiresAt - at),
      })) as { [I in keyof typeof hits]: Count }
    },
  }
}
