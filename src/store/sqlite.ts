/** SQLite as we use it: knex on the `sqlite3` package for everyday queries, `node:sqlite` for prepared statements. */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Knex } from 'knex'
import { isBusy } from '#errors.ts'
import type { Row, Statement, Statements, Value } from './statements.ts'

export type Sqlite = {
  engine: 'sqlite'
  file: string
  /** `full`: a power cut takes nothing that was acknowledged either. */
  synchronous?: 'normal' | 'full'
}

/** How long a write waits for another process's, in milliseconds. */
const patience = 5_000

/** The file, made if missing, readable by its owner only. */
export function ensureFile({ file }: Pick<Sqlite, 'file'>): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  closeSync(openSync(file, 'a', 0o600))
}

// NORMAL in WAL mode: a killed process loses nothing; a power cut may lose the last moments, never the file.
const pragmas = ({ synchronous = 'normal' }: Sqlite) =>
  `PRAGMA journal_mode=WAL; PRAGMA synchronous=${synchronous}; PRAGMA foreign_keys=ON`

export function sqliteConfig(where: Sqlite): Knex.Config {
  return {
    client: 'sqlite3',
    connection: { filename: where.file },
    useNullAsDefault: true,
    pool: {
      // One connection: SQLite has one writer anyway, and readers never wait on the network here.
      min: 1,
      max: 1,
      afterCreate: (connection: Connection, done: Done) => {
        const until = performance.now() + patience
        const prepare = () =>
          connection.exec(`PRAGMA busy_timeout=${patience}; ${pragmas(where)}`, (error) => {
            // Switching a new file to WAL waits for nobody, whatever busy_timeout says.
            if (isBusy(error) && performance.now() < until) setTimeout(prepare, 10)
            else done(error, connection)
          })
        prepare()
      },
    },
  }
}

type Done = (error: Error | null, connection: unknown) => void
type Connection = { exec(sql: string, done: (error: Error | null) => void): void }

type Waiting = {
  statement: Statement
  values: Value[]
  resolve: (rows: Row[]) => void
  reject: (error: unknown) => void
}

export type SqliteStatements = Statements & {
  /** How many writes were made since the last call. */
  takeWrites(): number
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
  let writes = 0
  let since = 0
  let draining = false

  const open = () => {
    opened ??= openQuietly(where)
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
      } else for (const { reject } of batch) reject(error)
      return
    }
    since = 0
    writes += batch.length
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
    takeWrites() {
      const before = writes
      writes = 0
      return before
    },
    close() {
      prepared.clear()
      opened?.close()
      opened = undefined
    },
  }
}

function openQuietly(where: Sqlite): DatabaseSync {
  const database = openFile(where.file)
  // Checkpoints are made by the other connection, off the event loop: see store.ts.
  database.exec(`${pragmas(where)}; PRAGMA wal_autocheckpoint=0`)
  return database
}

/** Holds a lock beside the database until it is closed or its process ends. Throws busy while another holds it. */
export function openLockFile({ file }: Sqlite): { close(): void } {
  const beside = `${file}.lock`
  ensureFile({ file: beside })
  const held = openFile(beside)
  try {
    held.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    held.close()
    throw error
  }
  return held
}

function openFile(file: string): DatabaseSync {
  const { emitWarning } = process
  // Node says once that this module is young; an operator can do nothing about it.
  process.emitWarning = () => {}
  try {
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
    return new DatabaseSync(file, { timeout: 0 })
  } finally {
    process.emitWarning = emitWarning
  }
}
