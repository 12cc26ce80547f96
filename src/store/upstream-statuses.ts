/** How upstreams fare, as whichever process noticed it first wrote it down for all. */

import { type Row, type Statements, statement } from './statements.ts'
import type { NoticeRow } from './upstream-notices.ts'

export type UpstreamStatusRow = {
  connector: string
  state: 'ok' | 'slow' | 'down'
  since: number
  checkedAt: number
  failure?: string
  /** Milliseconds. */
  took?: number
  certificateExpiresAt?: number
  /** It was down shortly before, and fails those who come back though it answers us. */
  relapsed?: boolean
}

export type ShownNotice = Pick<NoticeRow, 'id' | 'connector' | 'text' | 'startsAt' | 'endsAt'>

export type UpstreamStatuses = {
  /** True for the caller whose word changed the state: not when somebody else said so before. */
  change(status: UpstreamStatusRow): Promise<boolean>
  /** What was seen when it was looked at; the state stays as it is. */
  note(status: UpstreamStatusRow): Promise<void>
  /** All of them, the notices that are not over at `at`, and what staff switched off, in one statement. */
  look(at: number): Promise<{
    statuses: UpstreamStatusRow[]
    notices: ShownNotice[]
    switches: { connector: string; offAt: number }[]
  }>
}

const columns =
  'connector, state, since, checked_at, failure, took, certificate_expires_at, relapsed'
const insert = `INSERT INTO upstream_status (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

const change = statement(
  'upstream-status.change',
  `${insert}
   ON CONFLICT (connector) DO UPDATE SET state = excluded.state, since = excluded.since,
     checked_at = excluded.checked_at, failure = excluded.failure, took = excluded.took,
     relapsed = excluded.relapsed
   WHERE upstream_status.state <> excluded.state
   RETURNING connector`,
)
const note = statement(
  'upstream-status.note',
  `${insert}
   ON CONFLICT (connector) DO UPDATE SET checked_at = excluded.checked_at, failure = excluded.failure,
     took = excluded.took,
     certificate_expires_at = COALESCE(excluded.certificate_expires_at, upstream_status.certificate_expires_at)`,
)
const noNumber = 'CAST(NULL AS BIGINT)'
const look = statement(
  'upstream-status.look',
  `SELECT 'status' AS kind, ${columns},
     CAST(NULL AS TEXT) AS id, CAST(NULL AS TEXT) AS text, ${noNumber} AS starts_at, ${noNumber} AS ends_at
   FROM upstream_status
   UNION ALL
   SELECT 'notice', connector, NULL, NULL, NULL, NULL, NULL, NULL, NULL, id, text, starts_at, ends_at
   FROM upstream_notice WHERE ends_at > ?
   UNION ALL
   SELECT 'switch', connector, NULL, off_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
   FROM upstream_switch`,
)

export function openUpstreamStatuses(statements: Statements): UpstreamStatuses {
  return {
    change: async (status) => (await statements.run(change, valuesOf(status))).length === 1,
    async note(status) {
      await statements.run(note, valuesOf(status))
    },
    async look(at) {
      const rows = await statements.run(look, [at])
      const of = (wanted: string) => rows.filter(({ kind }) => kind === wanted)
      return {
        statuses: of('status').map(toStatus),
        notices: of('notice')
          .map(toNotice)
          .sort((a, b) => a.startsAt - b.startsAt),
        switches: of('switch').map(({ connector, since }) => ({
          connector: String(connector),
          offAt: Number(since),
        })),
      }
    },
  }
}

const valuesOf = (status: UpstreamStatusRow) => [
  status.connector,
  status.state,
  status.since,
  status.checkedAt,
  status.failure ?? null,
  status.took ?? null,
  status.certificateExpiresAt ?? null,
  status.relapsed ? 1 : 0,
]

const toStatus = (row: Row): UpstreamStatusRow => ({
  connector: String(row.connector),
  state: row.state as UpstreamStatusRow['state'],
  since: Number(row.since),
  checkedAt: Number(row.checked_at),
  ...(row.failure === null ? {} : { failure: String(row.failure) }),
  ...(row.took === null ? {} : { took: Number(row.took) }),
  ...(row.certificate_expires_at === null
    ? {}
    : { certificateExpiresAt: Number(row.certificate_expires_at) }),
  ...(Number(row.relapsed) === 1 ? { relapsed: true } : {}),
})

const toNotice = (row: Row): ShownNotice => ({
  id: String(row.id),
  connector: String(row.connector),
  text: JSON.parse(String(row.text)),
  startsAt: Number(row.starts_at),
  endsAt: Number(row.ends_at),
})
