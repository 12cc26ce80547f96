/** Brings the schema up to date, once, however many processes start at the same time. */
import createKnex, { type Knex } from 'knex'
import { isBusy } from '#errors.ts'
import { databaseConfig, type Where } from './database.ts'
import { migrationNames } from './migrations/index.ts'
import { ensureFile, openLockFile } from './node-sqlite.ts'
import type { Postgres } from './postgres.ts'

/** Any number, as long as every release uses the same: the advisory lock's name on PostgreSQL. */
const lockNumber = 7_283_645_120

/** The names of the migrations run. */
export async function migrate(where: Where): Promise<string[]> {
  if (where.engine === 'sqlite') ensureFile(where)
  const knex = createKnex(migrationConfig(where))
  try {
    if ((await pendingMigrations(knex)).length === 0) return []
    const unlock = await lock(knex, where)
    try {
      // Whoever holds our lock is alone: knex's own, if there is one, was left by a process that was killed.
      await knex.migrate.forceFreeMigrationsLock()
      const [, names] = await knex.migrate.latest()
      return names
    } finally {
      await unlock()
    }
  } finally {
    await knex.destroy()
  }
}

/** Migrations this program has and the database has not. Reads only. */
export async function pendingMigrations(knex: Knex): Promise<string[]> {
  if (!(await knex.schema.hasTable('migration'))) return migrationNames
  const done = new Set<string>(await knex('migration').pluck('name'))
  return migrationNames.filter((name) => !done.has(name))
}

/** A migration may take as long as it must. */
function migrationConfig(where: Where): Knex.Config {
  const config = databaseConfig(where)
  if (where.engine === 'sqlite') return config
  const { url } = where satisfies Postgres
  return {
    ...config,
    connection: { connectionString: url, application_name: 'citygate migrate' },
    // The lock has one of its own, however few the program may hold.
    pool: { min: 0, max: 2 },
  }
}

/** A lock that ends with its holder: a killed process leaves none behind. */
async function lock(knex: Knex, where: Where): Promise<() => Promise<void>> {
  if (where.engine === 'postgres') {
    const connection = await knex.client.acquireConnection()
    await connection.query('SELECT pg_advisory_lock($1)', [lockNumber])
    return async () => {
      await connection.query('SELECT pg_advisory_unlock($1)', [lockNumber])
      knex.client.releaseConnection(connection)
    }
  }
  for (;;) {
    try {
      const held = openLockFile(where)
      return async () => held.close()
    } catch (error) {
      if (!isBusy(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
