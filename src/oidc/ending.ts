/**
 * Ends what an app was issued: it was disabled or removed, and is refused from that moment. A large app's goes in the
 * background, a part at a time, so that nobody who signs in elsewhere waits; its id comes to life again only after that.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientRow, Store, Tables } from '#store/store.ts'
import { type Farewell, hears, leftBehind, putFarewells } from './backchannel.ts'

/** Each name ends with the app's id. */
export const endings = 'ending:'

type EndingTables = Pick<Tables, 'payloads' | 'outbox' | 'jobPositions'>

type Ending = Pick<Farewell, 'clientId' | 'registration'> & { hears: boolean }

/** A part: some milliseconds on SQLite, while nobody else writes. */
const most = { people: 25, rows: 100 }

/** Call it in the transaction that disables or removes the app: of a small one nothing is left after it. */
export async function beginEnding(
  tables: EndingTables,
  row: ClientRow,
  { at, removed }: { at: number; removed: boolean },
): Promise<void> {
  const ending = {
    clientId: row.id,
    hears: hears(row),
    ...(removed && hears(row) ? { registration: leftBehind(row) } : {}),
  }
  const job = endings + row.id
  if (await endPart(tables, ending, at)) await tables.jobPositions.remove(job)
  else await tables.jobPositions.put({ job, position: ending, at })
}

/** Whether there is something left of what the app was issued before. */
export const isEnding = async (
  { jobPositions }: Pick<Tables, 'jobPositions'>,
  clientId: string,
): Promise<boolean> => (await jobPositions.find(endings + clientId)) !== undefined

/** Goes on with an ending until it is through or `signal` says so. Whoever else does the same takes other parts. */
export async function finishEnding(
  store: Pick<Store, 'transaction' | 'sweeps'>,
  clientId: string,
  at: number,
  signal?: AbortSignal,
): Promise<void> {
  while (!signal?.aborted) {
    const started = performance.now()
    const through = await store.transaction(async (tables) => {
      // Held until the part is ended: nobody is told of it twice.
      const found = await tables.jobPositions.lock(endings + clientId)
      if (!found) return true
      const isLast = await endPart(tables, found.position as Ending, at)
      if (isLast) await tables.jobPositions.remove(endings + clientId)
      return isLast
    })
    if (through) return
    // Half of the time belongs to those who sign in.
    const took = performance.now() - started
    await store.sweeps.settle()
    await sleep(Math.min(100, Math.max(2, took)), undefined, { signal }).catch(() => {})
  }
}

/**
 * Ends what is left where the app is refused no longer: what another process issued in the second before it heard. Call
 * it in the transaction that brings the id to life, after `finishEnding`.
 */
export async function endRest(tables: EndingTables, row: ClientRow, at: number): Promise<void> {
  const ending = { clientId: row.id, hears: hears(row) }
  while (!(await endPart(tables, ending, at)));
}

/** True when it was the last part. */
async function endPart(tables: EndingTables, ending: Ending, at: number): Promise<boolean> {
  const { clientId, hears, registration } = ending
  const { payloads } = tables
  const people = await payloads.grantedBy(clientId, most.people)
  if (people.length > 0) {
    const app = { clientId, ...(registration ? { registration } : {}) }
    if (hears) await putFarewells(tables, app, people, at)
    await payloads.destroyGrantsBetween(clientId, people)
  }
  if (people.length === most.people) return false
  return (await payloads.destroyUngranted(clientId, most.rows)) < most.rows
}
