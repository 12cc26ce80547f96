/**
 * Knex's SQLite dialect on Node's own SQLite. Only one copy of SQLite may open a file in one process: POSIX locks
 * belong to the process, so two copies do not see each other's, and what one commits the other overwrites
 * (sqlite.org/howtocorrupt.html §2.2.1). Our prepared statements run on `node:sqlite`, so knex does too; the
 * `sqlite3` package drives knex where knex is alone: `npx knex` (knexfile.ts).
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import Dialect, { type Query } from 'knex/lib/dialects/sqlite3/index.js'
import { isBusy } from '#errors.ts'
import { openFile, patience, type Sqlite, settings } from './node-sqlite.ts'

/**
 * Pages in the log, eight times SQLite's own number: whoever writes much here settles it in the thread of the sweeps
 * (store/sweeps.ts), and the event loop waits for the disk only where nobody does.
 */
const seldom = 'PRAGMA wal_autocheckpoint=8000'

type Connection = { database: DatabaseSync; prepared: Map<string, StatementSync> }

/** More texts than the builder makes of our queries. */
const most = 200

export const nodeSqliteDialect = (where: Sqlite): typeof Dialect =>
  class extends Dialect {
    override _driver() {
      return {}
    }

    override async acquireRawConnection(): Promise<Connection> {
      const database = openFile(where.file)
      await untilFree(() => database.exec(`${settings(where)}; ${seldom}`))
      return { database, prepared: new Map() }
    }

    override async destroyRawConnection({ database, prepared }: Connection) {
      prepared.clear()
      database.close()
    }

    override async _query({ database, prepared }: Connection, query: Query) {
      // A transaction that read first could not write once another had: it takes the write lock at its beginning.
      const sql = query.sql === 'BEGIN;' ? 'BEGIN IMMEDIATE' : query.sql
      const values = (query.bindings ?? []).map(asValue)
      await untilFree(() => {
        let statement = prepared.get(sql)
        if (!statement) {
          statement = database.prepare(sql)
          if (prepared.size < most) prepared.set(sql, statement)
        }
        if (statement.columns().length > 0) query.response = statement.all(...values)
        else {
          const { changes, lastInsertRowid } = statement.run(...values)
          query.response = []
          query.context = { changes, lastID: lastInsertRowid }
        }
      })
      return query
    }
  }

const asValue = (value: unknown) => {
  if (typeof value === 'boolean' || value instanceof Date) return Number(value)
  return value === undefined ? null : (value as string | number | null)
}

/** The driver never waits inside SQLite, which would stop the event loop: it tries again from there. */
async function untilFree(work: () => void): Promise<void> {
  const until = performance.now() + patience
  for (let wait = 1; ; wait = Math.min(2 * wait, 50)) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }
}
