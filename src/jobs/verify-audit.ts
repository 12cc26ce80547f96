/** Walks the audit trail when staff ask for it, and writes down how far it has come and what it found. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '#lib/log.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'
import type { Job } from './runner.ts'

type Verdict = {
  events: number
  heads: Record<string, unknown>
  faults: { chain: string; seq: number; kind: string; message: string }[]
}

export type VerificationPorts = {
  store: Pick<Store, 'jobPositions'>
  log: Log
  now: Now
  verify(hooks: { walked(events: number): Promise<void>; signal: AbortSignal }): Promise<Verdict>
}

/** Seconds between two notes of progress. */
const everySeconds = 3
/** Faults that are kept: one chain that is gone may be a thousand. */
const mostFaults = 50

export function openVerification(name: string, ports: VerificationPorts): Job {
  const { store, log, now, verify } = ports
  return {
    name,
    async run(signal) {
      const asked = (await store.jobPositions.find(name))?.position
      const {
        by = 'system',
        startedAt = seconds(now),
        broken = 0,
        faults: known = [],
      } = asked ?? {}
      const about = { by, startedAt, broken, faults: known }
      const say = (said: object) =>
        store.jobPositions.put({ job: name, position: { ...about, ...said }, at: seconds(now) })
      let [saidAt, walkedAt, events] = [now(), performance.now(), 0]
      try {
        const { faults, heads, ...walked } = await verify({
          signal,
          async walked(soFar) {
            events = soFar
            // Three quarters of the time belong to those who sign in.
            await sleep(Math.min(100, 3 * (performance.now() - walkedAt)), undefined, { signal })
            walkedAt = performance.now()
            if (now() - saidAt < everySeconds * 1000) return
            saidAt = now()
            await say({ state: 'running', events })
          },
        })
        const chains = new Set([...Object.keys(heads), ...faults.map(({ chain }) => chain)]).size
        if (faults.length > 0)
          log.error({ faults: faults.slice(0, 5) }, 'the audit trail is broken')
        await say({
          state: faults.length > 0 ? 'broken' : 'whole',
          events: walked.events,
          chains,
          faults: faults.slice(0, mostFaults),
          broken: faults.length,
        })
      } catch (error) {
        await say({ state: 'stopped', events }).catch(() => {})
        if (!signal.aborted) throw error
      }
    },
  }
}
