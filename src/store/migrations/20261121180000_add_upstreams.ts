/** How upstreams fare, what they published, what of theirs was used up, and people who came twice. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('upstream_status', (t) => {
    t.string('connector', 32).primary()
    // ok, slow or down.
    t.string('state', 8).notNullable()
    t.bigInteger('since').notNullable()
    t.bigInteger('checked_at').notNullable()
    t.string('failure', 16)
    // How long its last answer took, in milliseconds.
    t.integer('took')
    t.bigInteger('certificate_expires_at')
    // 1: it answers us, and fails those who come back.
    t.smallint('relapsed').notNullable().defaultTo(0)
  })
  await knex.schema.createTable('upstream_notice', (t) => {
    t.string('id', 36).primary()
    t.string('connector', 32).notNullable().index()
    // Words, as JSON.
    t.text('text').notNullable()
    t.bigInteger('starts_at').notNullable()
    t.bigInteger('ends_at').notNullable()
    t.bigInteger('created_at').notNullable()
    t.string('created_by').notNullable()
  })
  // What an upstream published last: its metadata, its keys.
  await knex.schema.createTable('upstream_document', (t) => {
    t.string('id').primary()
    t.text('body').notNullable()
    t.bigInteger('read_at').notNullable()
  })
  // Nonces and assertions: each good once.
  await knex.schema.createTable('used_once', (t) => {
    t.string('id', 43).primary()
    t.bigInteger('expires_at').notNullable().index()
  })
  // Whose session at an upstream it is, where it tells them apart: its logout may name nobody.
  await knex.schema.createTable('upstream_session', (t) => {
    // SHA-256 of issuer and sid.
    t.string('id', 43).primary()
    t.string('account_id', 36).notNullable().references('account.id').onDelete('CASCADE').index()
    t.bigInteger('expires_at').notNullable().index()
  })
  // Somebody new whose address belongs to an account here: until she has said what she wants.
  await knex.schema.createTable('link_offer', (t) => {
    t.string('id', 43).primary()
    t.string('device', 43).notNullable()
    t.string('account_id', 36).notNullable().references('account.id').onDelete('CASCADE').index()
    // The identity, sealed.
    t.text('identity').notNullable()
    t.bigInteger('expires_at').notNullable().index()
  })
  // Two accounts of one person: proved for a while, then joined, with what was moved, so that it can be moved back.
  await knex.schema.createTable('account_merge', (t) => {
    t.string('id', 36).primary()
    t.string('kept', 36).notNullable().index()
    t.string('merged', 36).notNullable().index()
    // How the other account was proved, sealed, and until when that counts: both empty once they are joined.
    t.text('proof')
    t.bigInteger('expires_at').index()
    t.text('moved')
    t.bigInteger('merged_at')
    t.bigInteger('undone_at')
  })
  // Keys a link had before it was re-keyed: while both ways of a county are open, she is who she was on the former one, too.
  await knex.schema.createTable('former_identity', (t) => {
    // SHA-256 of issuer and subject.
    t.string('id', 43).primary()
    t.string('identity_id', 36).notNullable().references('identity.id').onDelete('CASCADE').index()
  })
  await knex.schema.alterTable('upstream_trip', (t) => {
    // A form the upstream sent the browser back with, sealed: our cookies do not travel with it.
    t.text('parked')
  })
  await knex.schema.alterTable('identity', (t) => {
    // HMAC of what differs when a login is somebody else's now.
    t.string('fingerprint', 43)
    // What could not be read of the last answer, as a JSON list of names.
    t.text('unread')
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE upstream_trip DROP COLUMN parked')
  await knex.raw('ALTER TABLE identity DROP COLUMN unread')
  await knex.raw('ALTER TABLE identity DROP COLUMN fingerprint')
  for (const table of [
    'former_identity',
    'account_merge',
    'link_offer',
    'upstream_session',
    'used_once',
    'upstream_document',
    'upstream_notice',
    'upstream_status',
  ]) {
    await knex.schema.dropTable(table)
  }
}
