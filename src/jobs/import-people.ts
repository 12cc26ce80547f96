/** Checks and imports uploaded people, a few at a time: whoever signs in meanwhile does not notice. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Job } from './runner.ts'

/** What is to be done of all imports, as whoever knows the rules does it. */
export type ImportWork = {
  /**
   * Does so many rows of what is due, or fewer: each is done whole or not at all, and by one process. How many; undefined
   * when nothing is due.
   */
  step(rows: number, signal: AbortSignal): Promise<number | undefined>
  /** What was done goes to its place on the disk, while others work. */
  settle(): Promise<void>
  /** Removes what nobody goes on with. */
  tidy(): Promise<void>
}

export type ImportManners = {
  /** What a step should take, others who write wait for it on SQLite: the number of rows follows it. */
  aimMs: number
  rows: { first: number; least: number; most: number }
  /** Told of every step. */
  observe?: (rows: number, ms: number) => void
}

const usual: ImportManners = {
  aimMs: 40,
  rows: { first: 50, least: 25, most: 500 },
}

export function openImporting(work: ImportWork, manners: Partial<ImportManners> = {}): Job {
  const { aimMs, rows, observe } = { ...usual, ...manners }
  return {
    name: 'import-people',
    everySeconds: 10,
    async run(signal) {
      await work.tidy()
      let limit = rows.first
      while (!signal.aborted) {
        const started = performance.now()
        const did = await work.step(limit, signal)
        if (did === undefined) return
        const took = performance.now() - started
        observe?.(did, took)
        await work.settle()
        // Up by half, down to a quarter at most: a disk that was busy once is not always.
        const next = limit * Math.min(1.5, Math.max(0.25, aimMs / Math.max(took, 0.1)))
        limit = Math.min(rows.most, Math.max(rows.least, Math.floor(next)))
        // Half of the time belongs to those who sign in.
        await sleep(Math.min(200, Math.max(5, took)), undefined, { signal }).catch(() => {})
      }
    },
  }
}
