/** What upstreams published, as it was read last. */
import { type Statements, statement } from './statements.ts'

export type UpstreamDocument = { id: string; body: string; readAt: number }

export type UpstreamDocuments = {
  find(id: string): Promise<UpstreamDocument | undefined>
  /** In place of what was kept before, unless that was read later: by a clock that may be right. */
  keep(document: UpstreamDocument): Promise<void>
}

/** Seconds by which clocks may differ. */
const ahead = 3_600

const find = statement(
  'upstream-document.find',
  'SELECT body, read_at FROM upstream_document WHERE id = ?',
)
const keep = statement(
  'upstream-document.keep',
  `INSERT INTO upstream_document (id, body, read_at) VALUES (?, ?, ?)
   ON CONFLICT (id) DO UPDATE SET body = excluded.body, read_at = excluded.read_at
   WHERE upstream_document.read_at <= excluded.read_at OR upstream_document.read_at > excluded.read_at + ${ahead}`,
)

export function openUpstreamDocuments(statements: Statements): UpstreamDocuments {
  return {
    async find(id) {
      const [row] = await statements.run(find, [id])
      return row && { id, body: String(row.body), readAt: Number(row.read_at) }
    },
    async keep({ id, body, readAt }) {
      await statements.run(keep, [id, body, readAt])
    },
  }
}
