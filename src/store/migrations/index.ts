/** Every schema change, oldest first. A released migration is never edited: write the next one. */
import type { Knex } from 'knex'
import * as createTables from './20261121000000_create_tables.ts'
import * as addOperatingCore from './20261121100000_add_operating_core.ts'
import * as keySchedule from './20261121120000_key_schedule.ts'
import * as addOutbox from './20261121130000_add_outbox.ts'
import * as addLimits from './20261121140000_add_limits.ts'
import * as tunePayloadTable from './20261121150000_tune_payload_table.ts'
import * as guardAudit from './20261121160000_guard_audit.ts'
import * as addJoining from './20261121170000_add_joining.ts'
import * as addUpstreams from './20261121180000_add_upstreams.ts'
import * as addStaff from './20261121190000_add_staff.ts'

type Migration = { name: string; up(knex: Knex): Promise<void>; down(knex: Knex): Promise<void> }

const migrations: Migration[] = [
  { name: '20261121000000_create_tables', ...createTables },
  { name: '20261121100000_add_operating_core', ...addOperatingCore },
  { name: '20261121120000_key_schedule', ...keySchedule },
  { name: '20261121130000_add_outbox', ...addOutbox },
  { name: '20261121140000_add_limits', ...addLimits },
  { name: '20261121150000_tune_payload_table', ...tunePayloadTable },
  { name: '20261121160000_guard_audit', ...guardAudit },
  { name: '20261121170000_add_joining', ...addJoining },
  { name: '20261121180000_add_upstreams', ...addUpstreams },
  { name: '20261121190000_add_staff', ...addStaff },
]

export const migrationNames = migrations.map(({ name }) => name)

export const migrationSource: Knex.MigrationSource<Migration> = {
  getMigrations: async () => migrations,
  getMigrationName: (migration) => migration.name,
  getMigration: async (migration) => migration,
}
