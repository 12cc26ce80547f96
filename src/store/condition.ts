/** How the database is: reads, and changes nothing. */
import { existsSync, statSync } from 'node:fs'
import type { Knex } from 'knex'
import { openDatabase, type Where } from './database.ts'
import { migrationNames } from './migrations/index.ts'

export type Condition = {
  version: string
  /** We know it and test with it. */
  supported: boolean
  /** Milliseconds since 1970 by the database's clock; absent where it is this machine's. */
  clock?: number
  /** Settings under which something acknowledged may be lost, or nothing be written, or anybody read it. */
  risks: { risk: Risk; setting: string; value: string }[]
  migrations: { pending: string[]; unknown: string[] }
}

export type Risk =
  | 'readable'
  | 'fsync'
  | 'full-page-writes'
  | 'synchronous-commit'
  | 'read-only'
  | 'rights'
  | 'standby'
  | 'encoding'

/** Undefined where there is no database yet: none is made. */
export async function readCondition(where: Where): Promise<Condition | undefined> {
  if (where.engine === 'sqlite' && !existsSync(where.file)) return undefined
  const knex = openDatabase(where)
  try {
    const read = where.engine === 'sqlite' ? readSqlite(knex, where.file) : readPostgres(knex)
    return { ...(await read), migrations: await readMigrations(knex) }
  } finally {
    await knex.destroy()
  }
}

async function readMigrations(knex: Knex) {
  const there = await knex.schema.hasTable('migration')
  const done: string[] = there ? await knex('migration').pluck('name') : []
  return {
    pending: migrationNames.filter((name) => !done.includes(name)),
    unknown: done.filter((name) => !migrationNames.includes(name)),
  }
}

type Engine = Omit<Condition, 'migrations'>

async function readSqlite(knex: Knex, file: string): Promise<Engine> {
  const [{ version }] = await knex.raw('SELECT sqlite_version() AS version')
  const mode = statSync(file).mode & 0o777
  return {
    version: `SQLite ${version}`,
    supported: true,
    risks: (mode & 0o077) > 0 ? [{ risk: 'readable', setting: file, value: mode.toString(8) }] : [],
  }
}

/** The oldest one we test with. */
const oldest = 150_000

async function readPostgres(knex: Knex): Promise<Engine> {
  const { rows } = await knex.raw(`SELECT
    current_setting('server_version') AS version,
    current_setting('server_version_num')::int AS number,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('fsync') AS fsync,
    current_setting('full_page_writes') AS full_page_writes,
    current_setting('default_transaction_read_only') AS read_only,
    pg_is_in_recovery() AS standby,
    pg_encoding_to_char(encoding) AS encoding,
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
    extract(epoch FROM clock_timestamp()) * 1000 AS clock
    FROM pg_database WHERE datname = current_database()`)
  const [found] = rows
  const risky: [Risk, setting: string, boolean, value?: string][] = [
    ['fsync', 'fsync', found.fsync === 'off'],
    ['full-page-writes', 'full_page_writes', found.full_page_writes === 'off'],
    ['synchronous-commit', 'synchronous_commit', found.synchronous_commit === 'off'],
    ['read-only', 'default_transaction_read_only', found.read_only === 'on'],
    ['rights', 'rights', !found.may_create],
    ['standby', 'standby', found.standby],
    ['encoding', 'encoding', found.encoding !== 'UTF8', found.encoding],
  ]
  return {
    version: `PostgreSQL ${found.version}`,
    supported: Number(found.number) >= oldest,
    clock: Number(found.clock),
    risks: risky.flatMap(([risk, setting, is, value = '']) =>
      is ? [{ risk, setting, value }] : [],
    ),
  }
}
