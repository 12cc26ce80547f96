/** Keeps what people are looked up by in step with who they are, whichever release wrote it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { indexPeople } from '#accounts/people-keys.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { ChangePlace, Store } from '#store/store.ts'
import type { Job } from './runner.ts'

/** Accounts at a time: each batch is a transaction, and others write in between. */
const batch = 50
/** Longer than a transaction lasts and clocks differ: what was written so lately is looked at once more. */
const overlapSeconds = 180
/** Batches of the round each turn makes: what changed without a trace on the account is found in the end. */
const roundBatches = 2

const jobs = { changes: 'index-people', round: 'index-people.round' } as const

type IndexStore = Pick<Store, 'accountKeys' | 'jobPositions' | 'transaction'>

export function openIndexing(store: IndexStore, now: Now): Job {
  const index = async (ids: string[], signal: AbortSignal) => {
    const started = performance.now()
    const written = await indexPeople(store, ids)
    // Three quarters of the time belong to those who sign in.
    const took = performance.now() - started
    const pause = written > 0 ? Math.min(200, Math.max(5, 3 * took)) : 1
    await sleep(pause, undefined, { signal }).catch(() => {})
  }

  const positionOf = async (job: string) => (await store.jobPositions.find(job))?.position ?? {}

  async function followChanges(signal: AbortSignal) {
    const settled = seconds(now) - overlapSeconds
    const position = await positionOf(jobs.changes)
    let place = { updatedAt: Number(position.updatedAt ?? -1), id: String(position.id ?? '') }
    let kept = place
    while (!signal.aborted) {
      const changed = await store.accountKeys.changedAfter(place, batch)
      const last = changed.at(-1)
      if (!last) break
      await index(
        changed.map(({ id }) => id),
        signal,
      )
      place = last
      // What is newer is not passed by: another transaction may still write before it.
      const next = place.updatedAt < settled ? place : { updatedAt: settled, id: '' }
      if (isAfter(next, kept)) {
        kept = next
        await store.jobPositions.put({ job: jobs.changes, position: kept, at: seconds(now) })
      }
      if (changed.length < batch) break
    }
  }

  /** Everybody, a few at each turn, from the beginning again and again. */
  async function goRound(signal: AbortSignal) {
    const position = await positionOf(jobs.round)
    const before = String(position.id ?? '')
    let after = before
    for (let part = 0; part < roundBatches && !signal.aborted; part++) {
      const ids = await store.accountKeys.idsAfter(after, batch)
      await index(ids, signal)
      after = ids.length < batch ? '' : (ids.at(-1) ?? '')
    }
    if (after === before) return
    await store.jobPositions.put({ job: jobs.round, position: { id: after }, at: seconds(now) })
  }

  return {
    name: jobs.changes,
    everySeconds: 15,
    async run(signal) {
      await followChanges(signal)
      await goRound(signal)
    },
  }
}

const isAfter = (one: ChangePlace, other: ChangePlace) =>
  one.updatedAt > other.updatedAt || (one.updatedAt === other.updatedAt && one.id > other.id)
