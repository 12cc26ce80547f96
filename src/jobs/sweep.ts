/** Removes what expired: slowly enough that nobody who signs in notices, fast enough that the tables stay small. */
import { setTimeout as sleep } from 'node:timers/promises'
import { day, type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'
import type { Swept } from '#store/sweeps.ts'
import type { Job } from './runner.ts'

export type SweepRules = {
  /** How long a row is kept after it expired. */
  keepSeconds: Record<Swept, number>
  /** What a statement should take, others who write wait for it on SQLite: the number of rows follows it. */
  aimMs: number
  /** The first statement's rows, and how far it may go. */
  rows: { first: number; least: number; most: number }
  /** Told of every statement. */
  observe?: (kind: Swept, rows: number, ms: number) => void
}

export const sweepRules: SweepRules = {
  keepSeconds: {
    // Whoever comes back to a finished page within a day gets one that knows her app.
    tombstones: day,
    // An expired token is refused like one that never was; what stays covers clocks that differ.
    artefacts: 10 * 60,
    // To tell "too late" from "never left".
    trips: day,
    // To tell "expired" from "never was".
    applications: day,
    links: day,
    leases: day,
    limits: 0,
    // Longer than clocks differ.
    used: 10 * 60,
    upstreamSessions: 0,
    linkOffers: day,
    invitations: day,
    notes: 0,
    upstreamTests: 0,
    mergeProofs: 0,
  },
  aimMs: 5,
  rows: { first: 50, least: 10, most: 100 },
}

export function openSweep(
  store: Pick<Store, 'sweeps'>,
  now: Now,
  rules: Partial<SweepRules> = {},
): Job {
  const { keepSeconds, aimMs, rows, observe } = { ...sweepRules, ...rules }
  let limit = rows.first

  async function sweep(kind: Swept, signal: AbortSignal) {
    const before = seconds(now) - keepSeconds[kind]
    let from = 0
    while (!signal.aborted) {
      const started = performance.now()
      const asked = limit
      const { removed, youngest } = await store.sweeps.remove(kind, { from, before, limit: asked })
      const took = performance.now() - started
      observe?.(kind, removed, took)
      if (removed < asked) return
      from = youngest
      limit = Math.min(rows.most, Math.max(rows.least, nextLimit(asked, took)))
      // Three quarters of the time belong to those who sign in.
      await sleep(Math.min(100, Math.max(5, 3 * took)), undefined, { signal }).catch(() => {})
    }
  }

  /** Up by half, down to a quarter at most: a disk that was busy once is not always. */
  const nextLimit = (asked: number, took: number) =>
    Math.floor(asked * Math.min(1.5, Math.max(0.25, aimMs / Math.max(took, 0.1))))

  return {
    name: 'sweep',
    everySeconds: 60,
    async run(signal) {
      for (const kind of Object.keys(keepSeconds) as Swept[]) await sweep(kind, signal)
    },
  }
}
