/** A backup of PostgreSQL: pg_dump's custom format. */
import { BackupError } from '#errors.ts'
import type { Archive, Occupancy } from './backup.ts'
import { checkFormat, lasting, passing, readKeyRow } from './backup-format.ts'
import { openDatabase } from './database.ts'
import { ensureFile } from './node-sqlite.ts'
import type { Postgres } from './postgres.ts'
import { findTool, readTool, startTool } from './postgres-tools.ts'

export async function writePostgresBackup(where: Postgres, file: string): Promise<void> {
  const left = passing.map((table) => `--exclude-table-data=${table}`)
  findTool('pg_dump')
  // There before pg_dump writes into it, so that its mode stays.
  ensureFile({ file })
  await readTool('pg_dump', ['--format=custom', ...left, `--file=${file}`], where)
  await readWhole(where, file)
}

export const postgresOccupancy = (where: Postgres): Promise<Occupancy> =>
  withDatabase(where, async (query) => {
    const tables = (
      await query('SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()')
    ).map(({ name }) => String(name))
    if (tables.length === 0) return 'empty'
    if (!tables.includes('migration')) return 'foreign'
    for (const table of lasting.filter((one) => tables.includes(one))) {
      if ((await query(`SELECT 1 FROM ${table} LIMIT 1`)).length > 0) return 'ours'
    }
    return 'empty'
  })

export async function openPostgresArchive(where: Postgres, file: string): Promise<Archive> {
  checkFormat(file, 'postgres')
  await readWhole(where, file)
  const read = async (table: string) =>
    parseCopy(
      await readTool('pg_restore', ['--data-only', `--table=${table}`, '--file=-', file], where),
    )
  return {
    migrations: (await read('migration')).map(({ name }) => String(name)),
    keys: (await read('key_ring')).map(readKeyRow),
    async restore() {
      const others = await withDatabase(where, (query) =>
        query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
          AND (usename = current_user OR application_name LIKE 'citygate%') AND pid <> pg_backend_pid()`),
      )
      if (others.length > 0) {
        throw new BackupError(
          'refused',
          `the database is in use, ${others.length} connections: stop every Citygate that runs on it, and whatever else is signed in as its user, first`,
        )
      }
      await replay(where, file)
    },
    async close() {},
  }
}

/** Reads the archive to its end without a database. */
async function readWhole(where: Postgres, file: string) {
  try {
    await readTool('pg_restore', ['--file=/dev/null', file], where)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new BackupError('unusable', `${file} is damaged: ${why}`, { cause: error })
  }
}

/** What is there now goes; then comes the archive; then goes what ours leave out, of an archive that was not made by us. */
const before = `DO $$ DECLARE one text; BEGIN
  FOR one IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = current_schema()
    LOOP EXECUTE 'DROP TABLE IF EXISTS ' || one || ' CASCADE'; END LOOP;
  FOR one IN SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP EXECUTE 'DROP FUNCTION IF EXISTS ' || one || ' CASCADE'; END LOOP;
END $$;
`
const after = `RESET search_path;
DO $$ DECLARE one text; BEGIN
  FOREACH one IN ARRAY ARRAY[${passing.map((table) => `'${table}'`).join(', ')}] LOOP
    IF to_regclass(one) IS NOT NULL THEN EXECUTE 'TRUNCATE ' || one; END IF;
  END LOOP;
END $$;
`

/** In one transaction: a restore that fails leaves the database as it was. */
async function replay(where: Postgres, file: string) {
  const args = ['--no-psqlrc', '--quiet', '--single-transaction', '--set=ON_ERROR_STOP=1']
  const psql = startTool('psql', [...args, '--file=-'], where)
  const archive = startTool(
    'pg_restore',
    ['--no-owner', '--no-privileges', '--file=-', file],
    where,
  )
  const { stdin } = psql
  if (!stdin || !archive.stdout) throw new Error('a program without its pipes')
  // It closes its ears when it fails, and says why itself.
  stdin.on('error', () => {})
  psql.stdout?.resume()
  archive.stdin?.end()
  stdin.write(before)
  archive.stdout.pipe(stdin, { end: false })
  psql.ended.catch(() => archive.kill())
  try {
    await archive.ended
    stdin.end(after)
  } catch (error) {
    // Half of it read to its end would be kept: the server undoes what a killed program began. Unless it failed first.
    if (psql.exitCode === null) psql.kill('SIGKILL')
    await psql.ended.catch((cause) => {
      if (psql.exitCode) throw cause
    })
    throw error
  }
  await psql.ended
}

/** Rows of `COPY … FROM stdin` as pg_restore writes them. */
function parseCopy(text: string): Record<string, string | null>[] {
  const rows: Record<string, string | null>[] = []
  let columns: string[] | undefined
  for (const line of text.split('\n')) {
    if (!columns) columns = /^COPY \S+ \((.*)\) FROM stdin;$/.exec(line)?.[1]?.split(', ')
    else if (line === '\\.') columns = undefined
    else {
      const values = line.split('\t').map(plain)
      rows.push(Object.fromEntries(columns.map((column, i) => [column, values[i] ?? null])))
    }
  }
  return rows
}

const controls: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

const plain = (value: string): string | null =>
  value === '\\N' ? null : value.replaceAll(/\\(.)/g, (_, mark: string) => controls[mark] ?? mark)

type Query = (sql: string) => Promise<Record<string, unknown>[]>

async function withDatabase<T>(where: Postgres, work: (query: Query) => Promise<T>): Promise<T> {
  const knex = openDatabase({ ...where, connections: 2 })
  try {
    return await work(async (sql) => (await knex.raw(sql)).rows)
  } finally {
    await knex.destroy()
  }
}
