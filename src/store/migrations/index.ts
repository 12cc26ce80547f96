/** Every schema change, oldest first. A released migration is never edited: write the next one. */
import type { Knex } from 'knex'
import * as createTables from './20261121000000_create_tables.ts'
import * as addOperatingCore from './20261121100000_add_operating_core.ts'
import * as keySchedule from './20261121120000_key_schedule.ts'

type Migration = { name: string; up(knex: Knex): Promise<void>; down(knex: Knex): Promise<void> }

const migrations: Migration[] = [
  { name: '20261121000000_create_tables', ...createTables },
  { name: '20261121100000_add_operating_core', ...addOperatingCore },
  { name: '20261121120000_key_schedule', ...keySchedule },
]

export const migrationNames = migrations.map(({ name }) => name)

export const migrationSource: Knex.MigrationSource<Migration> = {
  getMigrations: async () => migrations,
  getMigrationName: (migration) => migration.name,
  getMigration: async (migration) => migration,
}
