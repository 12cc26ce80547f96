/** Whether the audit trail is whole: walked in the background, with its last verdict kept where everybody sees it. */
import { type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'
import type { Fault } from './audit.ts'

/** Where the verdict is kept, and the job that finds it. */
const checkJob = 'audit-verify'

export type AuditCheck = {
  /** `stopped`: whoever walked it ended before the end, and nobody goes on. */
  state: 'running' | 'stopped' | 'whole' | 'broken'
  startedAt: number
  /** When it was written down. */
  at: number
  by: string
  events: number
  chains?: number
  /** The first ones, and how many there are; while one walks, those of the walk before. */
  faults?: Fault[]
  broken?: number
}

/** Seconds without a note of progress, which comes every few seconds, after which a walk has stopped. */
const silentSeconds = 60

/** The last verdict, or how far the walk under way has come; undefined before the first one. */
export async function lastCheck(
  { jobPositions }: Pick<Store, 'jobPositions'>,
  at: number,
): Promise<AuditCheck | undefined> {
  const row = await jobPositions.find(checkJob)
  if (!row) return undefined
  const check = { ...row.position, at: row.at } as AuditCheck
  return check.state === 'running' && at - row.at > silentSeconds
    ? { ...check, state: 'stopped' }
    : check
}

const isRunning = (check: AuditCheck | undefined): boolean => check?.state === 'running'

export type CheckPorts = {
  store: Pick<Store, 'jobPositions' | 'transaction'>
  background: { run(job: string): Promise<boolean> }
  log: { error(what: object, words: string): void }
  now: Now
}

/** Begins a walk in the background, unless one is under way. True if this call began it. */
export async function beginCheck(
  { store, background, log, now }: CheckPorts,
  { actor, where }: { actor: string; where: object },
): Promise<boolean> {
  const at = seconds(now)
  const began = await store.transaction(async ({ jobPositions, audit, leases }) => {
    // Of two who ask at the same moment one begins.
    if (!(await leases.take(`ask:${checkJob}`, `${actor} ${at}`, at, at + 5))) return false
    const before = await lastCheck({ jobPositions }, at)
    if (isRunning(before)) return false
    // What was broken stays broken until a walk has come to its end.
    const { broken = 0, faults = [] } = before ?? {}
    const position = { state: 'running', startedAt: at, by: actor, events: 0, broken, faults }
    await jobPositions.put({ job: checkJob, position, at })
    await audit.record({ at, actor, action: 'audit.verify', outcome: 'ok', ...where })
    return true
  })
  if (began) {
    background
      .run(checkJob)
      .catch((err: unknown) => log.error({ err }, 'the audit trail could not be walked'))
  }
  return began
}
