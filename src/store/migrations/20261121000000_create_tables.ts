/** The first schema. Times are whole seconds since 1970; JSON is text, so that both engines keep it byte for byte. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('key_ring', (t) => {
    t.string('name').primary()
    t.string('purpose').notNullable()
    t.text('sealed').notNullable()
    t.bigInteger('created_at').notNullable()
  })

  await knex.schema.createTable('oidc_payload', (t) => {
    // SHA-256 of model and identifier: a copy of this table signs nobody in.
    t.string('id', 43).primary()
    t.string('model', 32).notNullable()
    t.text('payload').notNullable()
    t.string('grant_id').index()
    t.string('uid').index()
    t.string('user_code', 43).index()
    t.string('account_id')
    t.string('client_id')
    t.bigInteger('expires_at').index()
    t.bigInteger('consumed_at')
    t.index(['account_id', 'model'])
  })

  await knex.schema.createTable('client', (t) => {
    t.string('id').primary()
    t.text('metadata').notNullable()
    t.string('secret_hash', 43)
    t.bigInteger('created_at').notNullable()
    t.bigInteger('updated_at').notNullable()
  })

  await knex.schema.createTable('account', (t) => {
    t.string('id', 36).primary()
    t.string('kind').notNullable()
    t.string('status').notNullable()
    t.text('profile').notNullable()
    t.bigInteger('created_at').notNullable()
    t.bigInteger('updated_at').notNullable()
  })

  const ofAccount = (t: Knex.CreateTableBuilder) =>
    t.string('account_id', 36).notNullable().references('account.id').onDelete('CASCADE').index()

  await knex.schema.createTable('identifier', (t) => {
    t.string('type').notNullable()
    t.string('value').notNullable()
    ofAccount(t)
    t.bigInteger('verified_at')
    t.primary(['type', 'value'])
  })

  await knex.schema.createTable('credential', (t) => {
    t.string('id', 36).primary()
    ofAccount(t)
    t.string('type').notNullable()
    t.text('secret').notNullable()
    t.bigInteger('created_at').notNullable()
    t.bigInteger('updated_at').notNullable()
  })

  await knex.schema.createTable('identity', (t) => {
    t.string('id', 36).primary()
    ofAccount(t)
    t.string('connector').notNullable()
    t.string('issuer').notNullable()
    t.string('subject').notNullable()
    t.text('openid2_ids').notNullable()
    t.text('raw').notNullable()
    t.bigInteger('created_at').notNullable()
    t.bigInteger('read_at').notNullable()
    t.unique(['issuer', 'subject'])
  })

  await knex.schema.createTable('affiliation', (t) => {
    t.string('identity_id', 36).notNullable().references('identity.id').onDelete('CASCADE')
    t.integer('position').notNullable()
    ofAccount(t)
    t.string('school_code').notNullable()
    t.string('school_name')
    t.string('role').notNullable()
    t.text('titles').notNullable()
    t.text('classes').notNullable()
    t.bigInteger('read_at').notNullable()
    t.primary(['identity_id', 'position'])
  })

  await knex.schema.createTable('affiliation_choice', (t) => {
    t.string('account_id', 36).notNullable().references('account.id').onDelete('CASCADE')
    t.string('client_id').notNullable()
    t.string('affiliation_key').notNullable()
    t.bigInteger('chosen_at').notNullable()
    t.primary(['account_id', 'client_id'])
  })

  await knex.schema.createTable('consent', (t) => {
    t.string('account_id', 36).notNullable().references('account.id').onDelete('CASCADE')
    t.string('client_id').notNullable()
    t.text('granted').notNullable()
    t.bigInteger('granted_at').notNullable()
    t.primary(['account_id', 'client_id'])
  })

  await knex.schema.createTable('upstream_trip', (t) => {
    // SHA-256 of the `state` the browser carries.
    t.string('id', 43).primary()
    t.string('connector').notNullable()
    t.string('device', 43).notNullable()
    t.text('memo').notNullable()
    t.bigInteger('expires_at').notNullable().index()
    t.bigInteger('used_at')
  })
}

export async function down(knex: Knex): Promise<void> {
  for (const table of [
    'upstream_trip',
    'consent',
    'affiliation_choice',
    'affiliation',
    'identity',
    'credential',
    'identifier',
    'account',
    'client',
    'oidc_payload',
    'key_ring',
  ]) {
    await knex.schema.dropTable(table)
  }
}
