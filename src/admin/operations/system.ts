/** What staff can learn of the installation itself, and the doctor. */

import { z } from 'zod'
import { day, isoOr, isoTime } from '#lib/time.ts'
import { done, type Operation, operation } from '../operation.ts'
import {
  databaseState,
  endings,
  examineNow,
  jobStates,
  type KeptExamination,
  lastExamination,
  version,
} from '../system.ts'
import { time } from '../times.ts'

const said = z
  .object({
    key: z.string(),
    params: z.record(z.string(), z.union([z.string(), z.number()])),
  })
  .describe(
    'A sentence as data. Its key stays the same from release to release, its words may not.',
  )

const examination = z.object({
  at: time,
  tookMs: z.int(),
  findings: z.array(
    z.object({
      check: z.string(),
      state: z.enum(['ok', 'warn', 'fail']),
      says: z.string().describe('What it means, in English.'),
      mend: z.string().describe('How to mend it, in English.').optional(),
      keys: z
        .object({ check: said, says: z.array(said), mend: said.optional() })
        .describe('What `check`, `says` and `mend` were made of.'),
    }),
  ),
  unchecked: z.array(z.string()).describe('What can only be seen from elsewhere, in English.'),
  uncheckedKeys: z.array(said).describe('What `unchecked` was made of, in the same order.'),
})
export type ExaminationShape = z.infer<typeof examination>

const system = z.object({
  version: z.string(),
  node: z.string(),
  issuer: z.string(),
  /** The id of the deployment’s rules. */
  site: z.string(),
  production: z.boolean(),
  workers: z.int(),
  database: z.object({
    engine: z.enum(['sqlite', 'postgres']),
    version: z.string(),
    migrations: z.object({ pending: z.array(z.string()), unknown: z.array(z.string()) }),
    pool: z.object({ used: z.int(), free: z.int(), waiting: z.int() }),
  }),
  /** Of the process that answers. */
  process: z.object({
    pid: z.int(),
    startedAt: time,
    uptimeSeconds: z.int(),
    residentBytes: z.int(),
    heapBytes: z.int(),
    passwordsWaiting: z.int(),
  }),
  jobs: z.array(
    z.object({
      job: z.string(),
      everySeconds: z.number().optional(),
      endedAt: time.optional(),
      outcome: z.enum(['ok', 'failed']).optional(),
      tookMs: z.int().optional(),
      running: z.boolean(),
    }),
  ),
  /** Who may do what only one may do at a time. */
  leases: z.array(z.object({ name: z.string(), holder: z.string(), until: time })),
  endings: z.array(
    z.object({
      what: z.enum(['key', 'certificate', 'secret', 'upstream']),
      id: z.string(),
      name: z.string(),
      at: time,
    }),
  ),
  limits: z.record(z.string(), z.record(z.string(), z.unknown())),
  examination: examination.optional(),
})
export type SystemShape = z.infer<typeof system>

export const readSystem = operation({
  id: 'system.read',
  summary: 'Reads the state of this installation: versions, background jobs, what comes to an end.',
  permission: 'system.read',
  method: 'GET',
  path: '/system',
  input: z.strictObject({}),
  output: system,
  async run(ports, { at }) {
    const { config, store, passwords } = ports
    const [own, database, jobs, leases, ending, last] = await Promise.all([
      version(),
      databaseState(ports),
      jobStates(store, at),
      store.leases.list(at),
      endings(ports, at, 90 * day),
      lastExamination(store),
    ])
    const { rss, heapUsed } = process.memoryUsage()
    const uptimeSeconds = Math.floor(process.uptime())
    return done({
      version: own,
      node: process.versions.node,
      issuer: config.issuer,
      site: config.site.id,
      production: config.production,
      workers: config.workers,
      database,
      process: {
        pid: process.pid,
        startedAt: isoTime(at - uptimeSeconds),
        uptimeSeconds,
        residentBytes: rss,
        heapBytes: heapUsed,
        passwordsWaiting: passwords.waiting(),
      },
      jobs: jobs.map(({ endedAt, ...job }) => ({ ...job, endedAt: isoOr(endedAt) })),
      // Enough to tell them apart: who has the whole could give a lease back.
      leases: leases.map(({ name, holder, until }) => ({
        name,
        holder: holder.slice(0, 6),
        until: isoTime(until),
      })),
      endings: ending.map((one) => ({ ...one, at: isoTime(one.at) })),
      limits: config.site.limits,
      ...(last ? { examination: examinationShape(last) } : {}),
    })
  },
})

export const examineSystem = operation({
  id: 'system.examine',
  summary:
    'Has the doctor look at database, keys, clock, address, mail, disk and upstreams: takes seconds.',
  permission: 'system.read',
  method: 'POST',
  path: '/system/examinations',
  input: z.strictObject({}),
  output: z.object({
    /** Absent while the first one is under way. */
    examination: examination.optional(),
  }),
  async run(ports, { at }) {
    const made = await examineNow(ports, at)
    return done(made ? { examination: examinationShape(made) } : {})
  },
})

export const systemOperations: readonly Operation[] = [readSystem, examineSystem]

const examinationShape = ({ at, ...made }: KeptExamination): ExaminationShape => ({
  ...made,
  at: isoTime(at),
})
