/** Opens SQLite the one way we use it. */
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import createKnex, { type Knex } from 'knex'
import { migrationSource } from './migrations/index.ts'

/** A knex bound to the file, made if missing, readable by its owner only. `:memory:` is for tests. */
export function openDatabase(file: string): Knex {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  return createKnex(databaseConfig(file))
}

export function databaseConfig(file: string): Knex.Config {
  return {
    client: 'sqlite3',
    connection: { filename: file },
    useNullAsDefault: true,
    // An error names the statement, never the values in it: people and hashes do not belong in a log.
    compileSqlOnError: false,
    // What fails is thrown and said once by whoever catches it; knex would print it beside our JSON lines.
    log: { warn() {}, error() {}, deprecate() {}, debug() {} },
    migrations: { migrationSource, tableName: 'migration' },
    pool: {
      // One connection: SQLite has one writer anyway, and readers never wait on the network here.
      min: 1,
      max: 1,
      afterCreate: (
        connection: { exec(sql: string, done: (error: Error | null) => void): void },
        done: (error: Error | null, connection: unknown) => void,
      ) => {
        // busy_timeout first: switching to WAL itself may have to wait for another process.
        // NORMAL in WAL mode: a killed process loses nothing; a power cut may lose the last moments, never the file.
        const sql =
          'PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON'
        connection.exec(sql, (error) => {
          if (!error && file !== ':memory:') chmodSync(file, 0o600)
          done(error, connection)
        })
      },
    },
  }
}

/** True for the error both engines give when a unique key is taken. */
export function isUniqueViolation(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === '23505' || (code === 'SQLITE_CONSTRAINT' && /UNIQUE/.test(String(error)))
}
