/** The state of this installation: versions, background jobs, what comes to an end. Never a secret. */
import { readFileSync } from 'node:fs'
import { dayOf } from '#federation/days.ts'
import { once } from '#lib/once.ts'
import { readCondition } from '#store/condition.ts'
import type { JobPosition, Store } from '#store/store.ts'
import type { Examination } from './doctor.ts'
import { listKeys } from './keys.ts'
import type { AdminPorts } from './ports.ts'

/** Of this program. */
export const version = once(async (): Promise<string> => {
  const file = new URL('../../package.json', import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')).version
})

export type JobState = {
  job: string
  /** Absent: only when somebody asks for it. */
  everySeconds?: number
  /** When it last ended, and how. */
  endedAt?: number
  outcome?: 'ok' | 'failed'
  tookMs?: number
  running: boolean
}

/** Every job that ran or runs, by name. */
export async function jobStates(
  { jobPositions, leases }: Pick<Store, 'jobPositions' | 'leases'>,
  at: number,
): Promise<JobState[]> {
  const [ran, held] = await Promise.all([jobPositions.list('ran:'), leases.list(at)])
  const running = new Set(held.map(({ name }) => name))
  const known = new Map(ran.map((row) => [row.job.slice('ran:'.length), row]))
  const names = held.flatMap(({ name }) =>
    /^(run|turn):/.test(name) ? [name.replace(/^\w+:/, '')] : [],
  )
  return [...new Set([...known.keys(), ...names])]
    .sort()
    .map((job) => ({ job, running: running.has(`run:${job}`), ...lastRun(known.get(job)) }))
}

function lastRun(row: JobPosition | undefined): Omit<JobState, 'job' | 'running'> {
  if (!row) return {}
  const { outcome, took, everySeconds } = row.position
  return {
    endedAt: row.at,
    outcome: outcome === 'failed' ? 'failed' : 'ok',
    ...(typeof took === 'number' ? { tookMs: took } : {}),
    ...(typeof everySeconds === 'number' ? { everySeconds } : {}),
  }
}

export type Ending = {
  what: 'key' | 'certificate' | 'secret' | 'upstream'
  /** A key's kid, an upstream's or an app's id. */
  id: string
  name: string
  at: number
}

/** What comes to an end within so many seconds, the soonest first; what ended already stands in front. */
export async function endings(ports: AdminPorts, at: number, within: number): Promise<Ending[]> {
  const { store, config, upstreamHealth } = ports
  const [keys, secrets] = await Promise.all([
    listKeys({ ...ports, site: config.site, actor: '' }),
    store.attention.endingSecrets(at + within, 200),
  ])
  const ofKeys = keys.flatMap((key): Ending[] => {
    // One that has a successor waiting ends by itself: nothing has to be done.
    const ends = key.state === 'signing' ? (key.retires_at ?? key.due?.signs_at) : undefined
    return ends === undefined ? [] : [{ what: 'key', id: key.kid, name: key.kid, at: ends }]
  })
  const ofUpstreams = config.connectors.flatMap((connector): Ending[] => {
    const { id, label, closes } = connector
    const name = label['zh-TW'] ?? id
    const expires = upstreamHealth.find(id)?.certificateExpiresAt
    const last = closes === undefined ? undefined : Date.parse(`${closes}T00:00:00+08:00`) / 1000
    return [
      ...(expires === undefined ? [] : [{ what: 'certificate' as const, id, name, at: expires }]),
      ...(last === undefined || dayOf(connector, at * 1000) === 'over'
        ? []
        : [{ what: 'upstream' as const, id, name, at: last }]),
    ]
  })
  const ofSecrets = secrets.map(
    ({ clientId, name, endsAt }): Ending => ({
      what: 'secret',
      id: clientId,
      name,
      at: endsAt,
    }),
  )
  return [...ofKeys, ...ofUpstreams, ...ofSecrets]
    .filter((one) => one.at < at + within)
    .sort((a, b) => a.at - b.at)
}

/** Where the last examination is kept, for every process to show. */
const examinationJob = 'examination'

export type KeptExamination = Examination & { at: number; tookMs: number }

/** Undefined before the first one. */
export async function lastExamination({
  jobPositions,
}: Pick<Store, 'jobPositions'>): Promise<KeptExamination | undefined> {
  const row = await jobPositions.find(examinationJob)
  if (!row) return undefined
  const { took, ...made } = row.position as unknown as Examination & { took: number }
  return { ...made, at: row.at, tookMs: took }
}

/** One this new is answered again: a new one calls every upstream. */
const reusedSeconds = 15
/** The longest it takes; whoever asks meanwhile gets the last one. */
const longestSeconds = 60

/** Looks at everything, unless somebody does so already or just did: then the last one, if there is any. */
export async function examineNow(
  { store, examine }: Pick<AdminPorts, 'store' | 'examine'>,
  at: number,
): Promise<KeptExamination | undefined> {
  const last = await lastExamination(store)
  if (last && at - last.at < reusedSeconds) return last
  const holder = `${at} ${performance.now()}`
  if (!(await store.leases.take(`run:${examinationJob}`, holder, at, at + longestSeconds)))
    return last
  try {
    const started = performance.now()
    const made = await examine()
    const took = Math.round(performance.now() - started)
    await store.jobPositions.put({ job: examinationJob, position: { ...made, took }, at })
    return { ...made, at, tookMs: took }
  } finally {
    await store.leases.release(`run:${examinationJob}`, holder)
  }
}

/** Its version, and whether its schema and its pool are as they should be. */
export async function databaseState({ store }: Pick<AdminPorts, 'store'>) {
  const condition = await readCondition(store.where)
  return {
    engine: store.where.engine,
    version: condition?.version ?? '',
    migrations: {
      pending: condition?.migrations.pending ?? [],
      unknown: condition?.migrations.unknown ?? [],
    },
    pool: store.pool(),
  }
}
