/** What expires is found by when it may go; PostgreSQL cleans the busiest table up early. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  // Each row stands in one of the two, so that a write costs what it did. The words are the sweep's own.
  await knex.raw(
    "CREATE INDEX oidc_payload_tombstones ON oidc_payload (expires_at) WHERE model IN ('Interaction', 'Session')",
  )
  await knex.raw(
    "CREATE INDEX oidc_payload_artefacts ON oidc_payload (expires_at) WHERE model NOT IN ('Interaction', 'Session')",
  )
  await knex.schema.alterTable('oidc_payload', (t) => t.dropIndex('expires_at'))
  if (!isPostgres(knex)) return
  // Room in each page for a row's next version (a code is consumed, a session visited), and a vacuum after every
  // hundredth part of the table has gone: by default a fifth of it would be holes.
  await knex.raw(`ALTER TABLE oidc_payload SET (fillfactor = 90,
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02)`)
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('oidc_payload', (t) => t.index('expires_at'))
  await knex.raw('DROP INDEX oidc_payload_tombstones')
  await knex.raw('DROP INDEX oidc_payload_artefacts')
  if (!isPostgres(knex)) return
  await knex.raw(`ALTER TABLE oidc_payload RESET (fillfactor,
    autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold,
    autovacuum_vacuum_insert_scale_factor, autovacuum_analyze_scale_factor)`)
}

const isPostgres = (knex: Knex) => knex.client.driverName === 'pg'
