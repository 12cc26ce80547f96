/** Every schema change, oldest first. A released migration is never edited: write the next one. */
import type { Knex } from 'knex'
import * as createTables from './20261121000000_create_tables.ts'

type Migration = { name: string; up(knex: Knex): Promise<void>; down(knex: Knex): Promise<void> }

const migrations: Migration[] = [{ name: '20261121000000_create_tables', ...createTables }]

export const migrationSource: Knex.MigrationSource<Migration> = {
  getMigrations: async () => migrations,
  getMigrationName: (migration) => migration.name,
  getMigration: async (migration) => migration,
}
