/** Applications in progress, links sent by mail, what people agreed to, and what a member keeps of her own. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  // An application finishes on the rules it began with: they are kept by what they say.
  await knex.schema.createTable('enrolment_rules', (t) => {
    t.string('hash', 43).primary()
    t.string('enrolment').notNullable()
    t.text('rules').notNullable()
    t.bigInteger('created_at').notNullable()
  })
  await knex.schema.createTable('application', (t) => {
    t.string('id', 36).primary()
    t.string('enrolment').notNullable()
    t.string('rules', 43).notNullable().references('enrolment_rules.hash')
    t.string('state', 16).notNullable()
    // SHA-256 of the device cookie it belongs to.
    t.string('device', 43).notNullable()
    t.string('account_id', 36).references('account.id').onDelete('CASCADE').index()
    // HMAC of the address its messages go to: how it is found again without telling whose it is.
    t.string('contact', 43).index()
    t.text('draft').notNullable()
    t.integer('version').notNullable()
    t.bigInteger('created_at').notNullable()
    t.bigInteger('updated_at').notNullable()
    t.bigInteger('expires_at').notNullable().index()
  })
  await knex.schema.createTable('mail_link', (t) => {
    // SHA-256 of the token in the mail.
    t.string('id', 43).primary()
    t.string('purpose', 32).notNullable()
    t.string('subject', 36).notNullable()
    t.text('memo').notNullable()
    t.bigInteger('created_at').notNullable()
    t.bigInteger('expires_at').notNullable().index()
    t.bigInteger('used_at')
    t.index(['subject', 'purpose'])
  })
  const ofAccount = (t: Knex.CreateTableBuilder) =>
    t.string('account_id', 36).notNullable().references('account.id').onDelete('CASCADE')
  await knex.schema.createTable('agreement', (t) => {
    ofAccount(t)
    t.string('terms').notNullable()
    t.string('version', 10).notNullable()
    t.string('language', 8).notNullable()
    // SHA-256 of the text as it was shown.
    t.string('hash', 43).notNullable()
    t.bigInteger('agreed_at').notNullable()
    t.string('address').notNullable()
    t.primary(['account_id', 'terms', 'version'])
  })
  await knex.schema.createTable('guardian', (t) => {
    ofAccount(t).primary()
    t.string('name').notNullable()
    t.string('email').notNullable()
    t.bigInteger('agreed_at').notNullable()
    t.string('address').notNullable()
  })
  // Several accounts may share one: a family's.
  await knex.schema.createTable('recovery_address', (t) => {
    ofAccount(t).primary()
    t.string('value').notNullable().index()
    t.bigInteger('confirmed_at')
    t.bigInteger('created_at').notNullable()
  })
  await knex.schema.createTable('picture', (t) => {
    ofAccount(t).primary()
    t.string('type', 32).notNullable()
    t.binary('bytes').notNullable()
    t.bigInteger('updated_at').notNullable()
  })
  // Personal numbers: an HMAC to find doubles by, the number itself sealed.
  await knex.schema.createTable('personal_number', (t) => {
    ofAccount(t)
    t.string('type', 32).notNullable()
    t.string('digest', 43).notNullable().index()
    t.text('sealed').notNullable()
    t.bigInteger('created_at').notNullable()
    t.primary(['account_id', 'type'])
  })
  await knex.schema.alterTable('account', (t) => {
    // The newest version agreed to of each terms, as JSON: every sign-in reads it, and nothing else for it.
    t.text('agreed')
    t.bigInteger('closed_at')
  })
  await knex.raw(
    'CREATE INDEX account_closed_at ON account (closed_at) WHERE closed_at IS NOT NULL',
  )
  await knex.raw(
    "CREATE INDEX oidc_payload_of_account ON oidc_payload (account_id, model) WHERE model IN ('Session', 'Grant', 'Interaction')",
  )
  await knex.raw(
    "CREATE INDEX audit_event_sign_in ON audit_event (actor, at) WHERE action = 'session.sign-in'",
  )
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('DROP INDEX audit_event_sign_in')
  await knex.raw('DROP INDEX oidc_payload_of_account')
  await knex.raw('DROP INDEX account_closed_at')
  // Knex would copy SQLite's tables row by row; both engines drop a column by themselves.
  await knex.raw('ALTER TABLE account DROP COLUMN closed_at')
  await knex.raw('ALTER TABLE account DROP COLUMN agreed')
  for (const table of [
    'personal_number',
    'picture',
    'recovery_address',
    'guardian',
    'agreement',
    'mail_link',
    'application',
    'enrolment_rules',
  ]) {
    await knex.schema.dropTable(table)
  }
}
