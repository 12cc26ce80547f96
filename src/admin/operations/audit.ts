/** What staff can do with the audit trail: search it, read one event, have its chains walked. */

import { z } from 'zod'
import { beginOf, daysAfter, readDay } from '#lib/taiwan-days.ts'
import { isoTime } from '#lib/time.ts'
import type { AuditFilter, Store } from '#store/store.ts'
import { beginCheck, lastCheck } from '../audit-check.ts'
import { auditCsv, eventPlaceIn, mentioned, type ReadEvent, withNames } from '../audit-trail.ts'
import { type Acting, done, type Operation, operation, unknown } from '../operation.ts'
import { orders, paged, pageOf, readCursor, strangeCursor, writeCursor } from '../paging.ts'
import type { AdminPorts } from '../ports.ts'
import { time } from '../times.ts'

const mention = z.object({
  /** As the trail has it: an account’s id, `client:<id>`, `operator:<name>` … */
  id: z.string(),
  what: z.enum(['person', 'client', 'key', 'message', 'connector', 'operator', 'other']),
  key: z.string(),
  /** What the person or the app is called now. */
  name: z.string().optional(),
})

const auditEvent = z.object({
  chain: z.string(),
  seq: z.int(),
  at: time,
  action: z.string(),
  outcome: z.string(),
  actor: mention,
  target: mention.optional(),
  address: z.string(),
  ref: z.string(),
  details: z.record(z.string(), z.unknown()),
})
export type AuditEventShape = z.infer<typeof auditEvent>

const word = z.string().trim().max(255)
const day = z
  .string()
  .refine((text) => readDay(text) !== undefined, {
    error: 'must be a day such as 2026-11-21',
    params: { code: 'day' },
  })
  .transform((text) => readDay(text) ?? text)

export const auditFilter = {
  actor: word.optional(),
  /** How it begins: `session.` finds all of them. */
  action: word.optional(),
  target: word.optional(),
  outcome: word.optional(),
  address: word.optional(),
  ref: word.optional(),
  /** Days in Taiwan, both in it. */
  since: day.optional(),
  until: day.optional(),
}
type Asked = { [Name in keyof typeof auditFilter]?: string | undefined }

export const listAudit = operation({
  id: 'audit.list',
  summary:
    'Searches the audit trail, newest first if not said. A page may hold few events although there are more: follow next.',
  permission: 'audit.read',
  method: 'GET',
  path: '/audit/events',
  input: z.strictObject({ ...auditFilter, ...paged, order: z.enum(orders).default('newest') }),
  output: pageOf(auditEvent),
  async run({ store }, _by, { cursor, limit, order, ...asked }) {
    const place = cursor === undefined ? undefined : readCursor(cursor, eventPlaceIn(order))
    if (cursor !== undefined && !place) return strangeCursor
    const { rows, next } = await store.auditSearch.search(filterOf(asked), place, limit, order)
    const events = await withNames(store, rows)
    return done({
      items: events.map(shapeOf),
      ...(next ? { next: writeCursor([order, next.at, next.chain, next.seq]) } : {}),
    })
  },
})

export const readAudit = operation({
  id: 'audit.get',
  summary: 'Reads one event of the audit trail.',
  permission: 'audit.read',
  method: 'GET',
  path: '/audit/events/{chain}/{seq}',
  input: z.strictObject({ chain: z.string().max(22), seq: z.coerce.number().int().min(1) }),
  output: auditEvent,
  async run({ store }, _by, { chain, seq }) {
    const row = await store.auditSearch.find(chain, seq)
    const [event] = row ? await withNames(store, [row]) : []
    return event ? done(shapeOf(event)) : unknown
  },
})

const check = z.object({
  /** `stopped`: whoever walked it ended before the end. */
  state: z.enum(['never', 'running', 'stopped', 'whole', 'broken']),
  startedAt: time.optional(),
  /** When this was written down. */
  at: time.optional(),
  by: mention.optional(),
  events: z.int(),
  chains: z.int().optional(),
  /** How many chains are broken, and the first bad event of the first of them. */
  broken: z.int(),
  faults: z.array(
    z.object({ chain: z.string(), seq: z.int(), kind: z.string(), message: z.string() }),
  ),
})
export type AuditCheckShape = z.infer<typeof check>

export const readAuditCheck = operation({
  id: 'audit.getVerification',
  summary: 'Reads what the last check of the audit trail found.',
  permission: 'audit.read',
  method: 'GET',
  path: '/audit/verification',
  input: z.strictObject({}),
  output: check,
  run: async (ports, by) => done(await checkOf(ports, by.at)),
})

export const verifyAuditTrail = operation({
  id: 'audit.verify',
  summary: 'Begins a check of the whole audit trail, in the background.',
  permission: 'audit.read',
  method: 'POST',
  path: '/audit/verification',
  input: z.strictObject({}),
  output: z.object({
    /** False while a walk is under way. */
    began: z.boolean(),
  }),
  run: async (ports, by) => done({ began: await beginCheck(ports, by) }),
})

export const auditOperations: readonly Operation[] = [
  listAudit,
  readAudit,
  readAuditCheck,
  verifyAuditTrail,
]

/** What a search finds, as CSV. The audit event that says who took it is written first. */
export async function exportAudit(
  { store }: { store: Store },
  { at, actor, where }: Pick<Acting, 'at' | 'actor' | 'where'>,
  asked: Asked,
): Promise<AsyncGenerator<string>> {
  const { since, until, ...words } = asked
  // By what, not for whom: people paste addresses into search fields.
  const by = Object.entries(words).flatMap(([name, value]) => (value ? [name] : []))
  const details = { ...(since ? { since } : {}), ...(until ? { until } : {}), by }
  const event = { action: 'audit.export', outcome: 'ok', details }
  await store.audit.record({ at, actor, ...where, ...event })
  return auditCsv(store, filterOf(asked))
}

async function checkOf({ store }: AdminPorts, at: number): Promise<AuditCheckShape> {
  const last = await lastCheck(store, at)
  if (!last) return { state: 'never', events: 0, broken: 0, faults: [] }
  const { state, events, chains, faults = [], broken = faults.length } = last
  const names = await store.auditSearch.names({ accounts: [last.by], clients: [] })
  const name = names.get(last.by)
  return {
    state,
    events,
    broken,
    faults,
    ...(chains === undefined ? {} : { chains }),
    startedAt: isoTime(last.startedAt),
    at: isoTime(last.at),
    by: { ...mentioned(last.by), ...(name ? { name } : {}) },
  }
}

/** As the store asks: days become moments, what was left empty is left out. */
export function filterOf({ since, until, ...words }: Asked): AuditFilter {
  const said = Object.entries(words).filter(([, value]) => value)
  return {
    ...Object.fromEntries(said),
    ...(since ? { since: beginOf(since) } : {}),
    ...(until ? { until: beginOf(daysAfter(until, 1)) } : {}),
  }
}

const shapeOf = ({
  by,
  to,
  actor: _,
  target: __,
  hash: ___,
  ...row
}: ReadEvent): AuditEventShape => ({
  ...row,
  at: isoTime(row.at),
  actor: by,
  ...(to ? { target: to } : {}),
})
