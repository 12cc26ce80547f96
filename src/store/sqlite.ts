/** SQLite as we use it: one file, Node's own driver, knex for everyday queries and prepared statements beside it. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Knex } from 'knex'
import { isBusy } from '#errors.ts'
import { nodeSqliteDialect } from './knex-on-node-sqlite.ts'
import { openFile, patience, type Sqlite, settings } from './node-sqlite.ts'
import type { Row, Statement, Statements, Value } from './statements.ts'

export function sqliteConfig(where: Sqlite): Knex.Config {
  return {
    client: nodeSqliteDialect(where),
    connection: { filename: where.file },
    useNullAsDefault: true,
    // One connection: SQLite has one writer anyway.
    pool: { min: 1, max: 1 },
  }
}

type Waiting = {
  statement: Statement
  values: Value[]
  resolve: (rows: Row[]) => void
  reject: (error: unknown) => void
}

export type SqliteStatements = Statements & {
  close(): void
}

/**
 * Prepared statements on a connection of their own. It is synchronous, so it never waits inside SQLite: a write
 * that finds the file locked tries again from the event loop. Writes of one turn of the loop share one commit.
 */
export function openSqliteStatements(where: Sqlite): SqliteStatements {
  let opened: DatabaseSync | undefined
  const prepared = new Map<string, StatementSync>()
  let waiting: Waiting[] = []
  let since = 0
  let draining = false
  let closed = false

  const open = () => {
    if (closed) throw new Error('the database is closed')
    if (!opened) {
      opened = openFile(where.file)
      opened.exec(settings(where))
    }
    return opened
  }
  const all = ({ name, sqlite }: Statement, values: Value[]) => {
    let ready = prepared.get(name)
    if (!ready) {
      ready = open().prepare(sqlite)
      prepared.set(name, ready)
    }
    return ready.all(...values) as Row[]
  }

  function drain() {
    draining = false
    const batch = waiting
    waiting = []
    since ||= performance.now()
    try {
      // One alone is its own transaction; several become one, which costs one commit.
      if (batch.length > 1) open().exec('BEGIN IMMEDIATE')
      else for (const { statement, values, resolve } of batch) resolve(all(statement, values))
    } catch (error) {
      const late = performance.now() - since > patience
      if (isBusy(error) && !late) {
        waiting = [...batch, ...waiting]
        schedule(true)
        return
      }
      since = 0
      for (const { reject } of batch) reject(error)
      return
    }
    since = 0
    if (batch.length > 1) commit(batch)
  }

  function commit(batch: Waiting[]) {
    const done: (() => void)[] = []
    try {
      for (const { statement, values, resolve, reject } of batch) {
        try {
          const rows = all(statement, values)
          done.push(() => resolve(rows))
        } catch (error) {
          // A statement that fails is undone by itself; what fails the file fails the commit too.
          done.push(() => reject(error))
        }
      }
      open().exec('COMMIT')
    } catch (error) {
      if (open().isTransaction) open().exec('ROLLBACK')
      for (const { reject } of batch) reject(error)
      return
    }
    for (const answer of done) answer()
  }

  function schedule(later: boolean) {
    if (draining) return
    draining = true
    if (later) setTimeout(drain, 1 + Math.floor((performance.now() - since) / 20))
    else setImmediate(drain)
  }

  return {
    run(statement, values) {
      if (!statement.writes) {
        try {
          return Promise.resolve(all(statement, values))
        } catch (error) {
          // Readers wait for nobody, save while another process recovers the log: then with the writers.
          if (!isBusy(error)) return Promise.reject(error)
        }
      }
      return new Promise((resolve, reject) => {
        waiting.push({ statement, values, resolve, reject })
        schedule(false)
      })
    },
    close() {
      closed = true
      prepared.clear()
      opened?.close()
      opened = undefined
    },
  }
}
