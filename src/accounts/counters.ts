/** Counts all processes share, under names nobody can read back: what is counted is about people. */
import { hmac } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Store, Tables } from '#store/store.ts'

export type Hit = {
  /** What is counted and of whom: `['wrong code', device]`. */
  of: string[]
  /** All that is counted of these may be forgotten at once: `['sign-in', name]`. */
  whose?: string[]
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
  /** Forgets what is counted of them. How many counters there were. */
  forget(tables: Pick<Tables, 'limits'>, whose: string[]): Promise<number>
}

export type CounterPorts = {
  store: Pick<Store, 'limits'>
  now: Now
  key: Buffer
}

export function openCounters({ store, now, key }: CounterPorts): Counters {
  const mark = (of: string[]) => hmac(key, JSON.stringify(of))
  /** 126 and 132 bits: nobody's counter is met by chance, and neither part can be read back. */
  const begins = (whose: string[]) => mark(whose).slice(0, 21)
  const keyOf = ({ of, whose }: Hit) =>
    whose === undefined ? mark(of) : begins(whose) + mark(of).slice(0, 22)
  return {
    forget: ({ limits }, whose) => limits.forget(begins(whose)),
    async hit(...hits) {
      const at = seconds(now)
      const counts = await store.limits.hit(
        hits.map((one) => ({
          key: keyOf(one),
          points: one.points ?? 1,
          expiresAt: at + one.seconds,
          ...(one.waitSeconds === undefined ? {} : { waitUntil: at + one.waitSeconds }),
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
