/** How upstreams fared: changes of state, being switched off and on, and what went wrong for people who came back. */
import { type Row, type Statements, statement } from './statements.ts'

export const upstreamEventKinds = ['state', 'switch', 'failure'] as const
export type UpstreamEventKind = (typeof upstreamEventKinds)[number]

/** Failures of one upstream that are kept; older ones are trimmed (jobs/trim-upstream-events.ts). */
export const failuresKept = 200

export type UpstreamEventRow = {
  id: string
  connector: string
  at: number
  kind: UpstreamEventKind
  /** A state, `off` or `on`, or a failure's name. */
  what: string
  /** Of the request, which finds its line in the log. Empty where nobody asked. */
  ref: string
  /** Words and numbers of ours: never what the upstream said. */
  detail: Record<string, string | number>
}

export type UpstreamEventPlace = Pick<UpstreamEventRow, 'at' | 'id'>

export type UpstreamEvents = {
  record(event: UpstreamEventRow): Promise<void>
  /** Drops the event where `most` failures of this upstream were recorded since `since` already. */
  recordFailure(event: UpstreamEventRow, bounds: { since: number; most: number }): Promise<void>
  /** The newest first, those of a page before included by `before`. */
  list(
    connector: string,
    wanted: { kind?: UpstreamEventKind; before?: UpstreamEventPlace; limit: number },
  ): Promise<UpstreamEventRow[]>
  /** Changes of state and switches from `since` on, the oldest first. */
  changes(connector: string, since: number): Promise<UpstreamEventRow[]>
  /** How often people failed from `since` on, by upstream and failure. */
  failures(
    since: number,
  ): Promise<{ connector: string; what: string; count: number; last: number }[]>
  /** Keeps this many failures of each upstream, and this many other events that are not older than `before`. */
  trim(kept: { failures: number; others: number; before: number }): Promise<void>
}

const columns = 'id, connector, at, kind, what, ref, detail'
const record = statement(
  'upstream-event.record',
  `INSERT INTO upstream_event (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)`,
)
const recordFailure = statement('upstream-event.record-failure', {
  sqlite: `INSERT INTO upstream_event (${columns}) SELECT ?, ?, ?, ?, ?, ?, ?
   WHERE (SELECT COUNT(*) FROM upstream_event WHERE connector = ? AND at >= ? AND kind = 'failure') < ?`,
  postgres: `INSERT INTO upstream_event (${columns})
   SELECT CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT)
   WHERE (SELECT COUNT(*) FROM upstream_event WHERE connector = ? AND at >= ? AND kind = 'failure') < CAST(? AS BIGINT)`,
})
const list = statement(
  'upstream-event.list',
  `SELECT ${columns} FROM upstream_event
   WHERE connector = ? AND (at < ? OR (at = ? AND id < ?)) ORDER BY at DESC, id DESC LIMIT ?`,
)
const listOfKind = statement(
  'upstream-event.list-of-kind',
  `SELECT ${columns} FROM upstream_event
   WHERE connector = ? AND (at < ? OR (at = ? AND id < ?)) AND kind = ? ORDER BY at DESC, id DESC LIMIT ?`,
)
const changes = statement(
  'upstream-event.changes',
  `SELECT ${columns} FROM upstream_event
   WHERE connector = ? AND at >= ? AND kind <> 'failure' ORDER BY at, id`,
)
const failures = statement(
  'upstream-event.failures',
  `SELECT connector, what, COUNT(*) AS count, MAX(at) AS last FROM upstream_event
   WHERE at >= ? AND kind = 'failure' GROUP BY connector, what`,
)
const trim = statement(
  'upstream-event.trim',
  `DELETE FROM upstream_event WHERE id IN (SELECT id FROM (
     SELECT id, at, kind, ROW_NUMBER() OVER (
       PARTITION BY connector, CASE WHEN kind = 'failure' THEN 1 ELSE 0 END ORDER BY at DESC, id DESC) AS place
     FROM upstream_event) AS numbered
   WHERE (kind = 'failure' AND place > ?) OR (kind <> 'failure' AND (place > ? OR at < ?)))`,
)

/** Later than every event. */
const end: UpstreamEventPlace = { at: Number.MAX_SAFE_INTEGER, id: '' }

export function openUpstreamEvents(statements: Statements): UpstreamEvents {
  return {
    async record(event) {
      await statements.run(record, valuesOf(event))
    },
    async recordFailure(event, { since, most }) {
      await statements.run(recordFailure, [...valuesOf(event), event.connector, since, most])
    },
    async list(connector, { kind, before = end, limit }) {
      const { at, id } = before
      const place = [connector, at, at, id]
      const rows = await (kind === undefined
        ? statements.run(list, [...place, limit])
        : statements.run(listOfKind, [...place, kind, limit]))
      return rows.map(read)
    },
    changes: async (connector, since) =>
      (await statements.run(changes, [connector, since])).map(read),
    failures: async (since) =>
      (await statements.run(failures, [since])).map((row) => ({
        connector: String(row.connector),
        what: String(row.what),
        count: Number(row.count),
        last: Number(row.last),
      })),
    async trim({ failures: mostFailures, others, before }) {
      await statements.run(trim, [mostFailures, others, before])
    },
  }
}

const valuesOf = ({ id, connector, at, kind, what, ref, detail }: UpstreamEventRow) => [
  id,
  connector,
  at,
  kind,
  what,
  ref,
  JSON.stringify(detail),
]

const read = (row: Row): UpstreamEventRow => ({
  id: String(row.id),
  connector: String(row.connector),
  at: Number(row.at),
  kind: row.kind as UpstreamEventKind,
  what: String(row.what),
  ref: String(row.ref),
  detail: row.detail === null ? {} : JSON.parse(String(row.detail)),
})
