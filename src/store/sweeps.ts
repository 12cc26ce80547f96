/** Removes rows whose time is over, a few at a time, so that nobody who writes waits long. */
import type { Knex } from 'knex'
import type { Where } from './database.ts'
import { openSweepThread } from './sweep-sqlite.ts'

/** What is kept for a while after it expired: its back-button page, and that it was used or ended. */
const tombstones = "model IN ('Interaction', 'Session')"
const others = "model NOT IN ('Interaction', 'Session')"

/** `only` stands word for word in a partial index of 20261121150000_tune_payload_table: both engines compare the text. */
const swept = {
  tombstones: { table: 'oidc_payload', only: tombstones },
  artefacts: { table: 'oidc_payload', only: others },
  trips: { table: 'upstream_trip', only: undefined },
  applications: { table: 'application', only: undefined },
  links: { table: 'mail_link', only: undefined },
  leases: { table: 'lease', only: undefined },
  limits: { table: 'rate_limit', only: undefined },
  used: { table: 'used_once', only: undefined },
  upstreamSessions: { table: 'upstream_session', only: undefined },
  linkOffers: { table: 'link_offer', only: undefined },
  invitations: { table: 'staff_invitation', only: undefined },
  notes: { table: 'sealed_note', only: undefined },
  upstreamTests: { table: 'upstream_test', only: undefined },
  // Those that were joined do not expire.
  mergeProofs: { table: 'account_merge', only: undefined },
} satisfies Record<string, { table: string; only: string | undefined }>

export type Swept = keyof typeof swept

export type Sweeps = {
  /**
   * Removes at most `limit` rows that expired before `before`, oldest first, none older than `from`: on PostgreSQL
   * a search from the beginning would read again over all that was removed just now. Rows somebody else holds are
   * left for another time. What was removed, and when the youngest of it expired.
   */
  remove(
    kind: Swept,
    range: { from: number; before: number; limit: number },
  ): Promise<{ removed: number; youngest: number }>
  /**
   * Moves what was written from SQLite's log into its file, in the thread: whoever writes much calls it after every part,
   * else the commit of somebody who signs in does it and waits for the disk.
   */
  settle(): Promise<void>
}

export function openSweeps(knex: Knex, where: Where): Sweeps & { close(): Promise<void> } {
  const thread = where.engine === 'sqlite' ? openSweepThread(where) : undefined
  const run = async (sql: ReturnType<typeof removal>, values: number[]) =>
    thread ? thread.run(sql.sqlite, values) : (await knex.raw(sql.postgres, values)).rows
  return {
    async remove(kind, { from, before, limit }) {
      const rows: { at: number | string }[] = await run(removal(swept[kind]), [from, before, limit])
      return {
        removed: rows.length,
        youngest: rows.reduce((last, { at }) => Math.max(last, Number(at)), from),
      }
    },
    async settle() {
      await thread?.run('PRAGMA wal_checkpoint(PASSIVE)', [])
    },
    close: async () => thread?.close(),
  }
}

function removal({ table, only }: { table: string; only: string | undefined }) {
  const which = `${only ? `${only} AND ` : ''}expires_at >= ? AND expires_at < ? ORDER BY expires_at LIMIT ?`
  return {
    sqlite: `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${which})
      RETURNING expires_at AS at`,
    // As an array the rows are found first, by the index, whatever the planner believes about the table.
    postgres: `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ${table} WHERE ${which} FOR UPDATE SKIP LOCKED))
      RETURNING expires_at AS at`,
  }
}
