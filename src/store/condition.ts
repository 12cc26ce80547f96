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
  /** Settings under which something acknowledged may be lost, or nothing be written: the setting and what it does. */
  risks: { setting: string; means: string; mend: string }[]
  migrations: { pending: string[]; unknown: string[] }
}

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
  const open = (statSync(file).mode & 0o077) > 0
  return {
    version: `SQLite ${version}`,
    supported: true,
    risks: open
      ? [
          {
            setting: file,
            means: 'other users of this machine may read the database',
            mend: `chmod 600 ${file}`,
          },
        ]
      : [],
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
  const risks = {
    fsync: [
      found.fsync === 'off',
      'a power cut may destroy the whole database',
      'set fsync = on in postgresql.conf',
    ],
    full_page_writes: [
      found.full_page_writes === 'off',
      'a power cut may leave pages half written',
      'set full_page_writes = on, unless the file system never tears a page',
    ],
    synchronous_commit: [
      found.synchronous_commit === 'off',
      'a crash of the server may take the last sign-ins and consents it acknowledged',
      'set synchronous_commit = on, or live with it knowingly',
    ],
    default_transaction_read_only: [
      found.read_only === 'on',
      'nothing can be written: nobody can sign in',
      'set default_transaction_read_only = off for this database and role',
    ],
    rights: [
      !found.may_create,
      'our user may not make tables here: neither this release nor the next can set up its schema',
      'let the user of DATABASE_URL own the database (ALTER DATABASE … OWNER TO …)',
    ],
    standby: [
      found.standby,
      'this server is a standby and takes no writes',
      'point DATABASE_URL at the primary (target_session_attrs=read-write finds it)',
    ],
    encoding: [
      found.encoding !== 'UTF8',
      `the database is ${found.encoding}: names cannot all be kept`,
      'create the database with ENCODING UTF8 and restore a backup into it',
    ],
  } satisfies Record<string, [boolean, string, string]>
  return {
    version: `PostgreSQL ${found.version}`,
    supported: Number(found.number) >= oldest,
    clock: Number(found.clock),
    risks: Object.entries(risks).flatMap(([setting, [risky, means, mend]]) =>
      risky ? [{ setting, means, mend }] : [],
    ),
  }
}
