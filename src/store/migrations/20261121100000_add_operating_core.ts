/** Artefacts read together with what they stand on, identities that say whether anything is new, and the audit trail. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('oidc_payload', (t) => {
    t.string('grant_key', 43)
    t.string('session_uid')
    t.dropIndex('uid')
    t.dropIndex('user_code')
    t.dropIndex(['account_id', 'model'])
  })
  // Most rows have neither: an index over all of them would cost every token a write.
  await knex.raw('CREATE INDEX oidc_payload_uid_index ON oidc_payload (uid) WHERE uid IS NOT NULL')
  await knex.raw(
    'CREATE INDEX oidc_payload_user_code_index ON oidc_payload (user_code) WHERE user_code IS NOT NULL',
  )
  await knex.schema.alterTable('identity', (t) => {
    t.string('digest', 43)
  })
  await knex.schema.createTable('audit_event', (t) => {
    t.string('chain', 22).notNullable()
    t.bigInteger('seq').notNullable()
    t.bigInteger('at').notNullable().index()
    t.string('actor').notNullable()
    t.string('action').notNullable()
    t.string('target').notNullable()
    t.string('outcome').notNullable()
    t.string('address').notNullable()
    t.string('ref').notNullable()
    t.text('details').notNullable()
    t.string('hash', 43).notNullable()
    t.primary(['chain', 'seq'])
  })
  // What one process at a time may do, and until when it is trusted to be alive.
  await knex.schema.createTable('lease', (t) => {
    t.string('name').primary()
    t.string('holder').notNullable()
    t.bigInteger('expires_at').notNullable()
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('lease')
  await knex.schema.dropTable('audit_event')
  await knex.schema.alterTable('oidc_payload', (t) => {
    t.dropIndex('uid')
    t.dropIndex('user_code')
  })
  // Knex would copy SQLite's tables row by row; both engines drop a column by themselves.
  await knex.raw('ALTER TABLE identity DROP COLUMN digest')
  await knex.raw('ALTER TABLE oidc_payload DROP COLUMN grant_key')
  await knex.raw('ALTER TABLE oidc_payload DROP COLUMN session_uid')
  await knex.schema.alterTable('oidc_payload', (t) => {
    t.index('uid')
    t.index('user_code')
    t.index(['account_id', 'model'])
  })
}
