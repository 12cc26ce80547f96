/** Opens either engine. */
import createKnex, { type Knex } from 'knex'
import { migrationSource } from './migrations/index.ts'
import { ensureFile, type Sqlite } from './node-sqlite.ts'
import { type Postgres, postgresConfig } from './postgres.ts'
import { sqliteConfig } from './sqlite.ts'

export type Where = Sqlite | Postgres

/** A knex bound to the database. A missing SQLite file is made; nothing else is read or written. */
export function openDatabase(where: Where): Knex {
  if (where.engine === 'sqlite') ensureFile(where)
  return createKnex(databaseConfig(where))
}

export function databaseConfig(where: Where): Knex.Config {
  return {
    ...(where.engine === 'sqlite' ? sqliteConfig(where) : postgresConfig(where)),
    // An error names the statement, never the values in it: people and hashes do not belong in a log.
    compileSqlOnError: false,
    // What fails is thrown and said once by whoever catches it; knex would print it beside our JSON lines.
    log: { warn() {}, error() {}, deprecate() {}, debug() {} },
    migrations: { migrationSource, tableName: 'migration' },
  }
}
