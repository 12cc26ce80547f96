/** Staff and their second factors, apps with their history, what staff look things up by, and what they import. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  // Who may do what. The holder is an account's id, or `client:<id>` for a program.
  await knex.schema.createTable('staff_role', (t) => {
    t.string('holder', 64).notNullable()
    t.string('role', 16).notNullable()
    // '' or 'own' (apps one owns) or 'county:<connector>'.
    t.string('reach', 48).notNullable()
    t.bigInteger('granted_at').notNullable()
    t.string('granted_by').notNullable()
    t.primary(['holder', 'role', 'reach'])
  })
  await knex.schema.createTable('staff_invitation', (t) => {
    // SHA-256 of the token in the link.
    t.string('id', 43).primary()
    t.string('email').notNullable()
    // [{role, reach}] as JSON.
    t.text('roles').notNullable()
    // For this account and no other: its second factors were taken away.
    t.string('account_id', 36)
    t.bigInteger('created_at').notNullable()
    t.string('created_by').notNullable()
    t.bigInteger('expires_at').notNullable().index()
    t.bigInteger('used_at')
    t.string('used_by', 36)
  })
  // What waits in one browser: how far an invitation has come, or a form whose sender has to prove herself anew.
  await knex.schema.createTable('sealed_note', (t) => {
    // SHA-256 of the invitation, or of what the form is known by, and of the browser.
    t.string('id', 43).primary()
    t.text('sealed').notNullable()
    t.bigInteger('expires_at').notNullable().index()
  })
  await knex.schema.createTable('second_factor', (t) => {
    t.string('id', 36).primary()
    t.string('account_id', 36).notNullable().references('account.id').onDelete('CASCADE').index()
    // totp or passkey.
    t.string('type', 8).notNullable()
    t.string('label', 100).notNullable()
    // A passkey's credential id: one passkey, one row.
    t.string('credential_id', 1400).unique()
    // The TOTP secret, sealed; a passkey's public key and what belongs to it, as JSON.
    t.text('secret').notNullable()
    // The last TOTP step that was used, or a passkey's signature counter.
    t.bigInteger('counter').notNullable()
    t.bigInteger('created_at').notNullable()
    t.bigInteger('used_at')
  })
  await knex.schema.createTable('recovery_code', (t) => {
    t.string('account_id', 36).notNullable().references('account.id').onDelete('CASCADE')
    // Keyed hash of the code.
    t.string('digest', 43).notNullable()
    t.bigInteger('created_at').notNullable()
    t.bigInteger('used_at')
    t.primary(['account_id', 'digest'])
  })
  await knex.schema.alterTable('client', (t) => {
    // For lists: what people read, and what kind of app it is. Empty where the last release wrote the row.
    t.string('name', 200)
    t.string('kind', 8)
    t.integer('version').notNullable().defaultTo(1)
    t.bigInteger('disabled_at')
    t.bigInteger('secret_created_at')
    t.bigInteger('secret_expires_at')
    // The secret before this one, good for a while longer.
    t.string('former_secret_hash', 43)
    t.bigInteger('former_secret_expires_at')
    // `dynamic` for one that registered itself (RFC 7591); SHA-256 of its registration access token.
    t.string('origin', 8)
    t.string('registration_token', 43).index('client_registration_token_index')
    // What its initial access token let it be, as JSON: holds for every change it makes of itself.
    t.text('registration_policy')
  })
  await knex.schema.createTable('client_version', (t) => {
    t.string('client_id').notNullable()
    t.integer('version').notNullable()
    t.text('metadata').notNullable()
    t.bigInteger('at').notNullable()
    t.string('changed_by').notNullable()
    // create, change, undo, apply, request …
    t.string('because', 16).notNullable()
    t.text('note')
    t.primary(['client_id', 'version'])
  })
  await knex.schema.createTable('client_owner', (t) => {
    t.string('client_id').notNullable()
    t.string('account_id', 36).notNullable().references('account.id').onDelete('CASCADE').index()
    t.bigInteger('created_at').notNullable()
    // As whoever added her typed her name.
    t.string('called', 254)
    t.primary(['client_id', 'account_id'])
  })
  await knex.schema.createTable('client_logo', (t) => {
    t.string('client_id').primary()
    t.string('type', 32).notNullable()
    t.binary('bytes').notNullable()
    t.bigInteger('updated_at').notNullable()
  })
  // With one of these a program registers itself (RFC 7591).
  await knex.schema.createTable('initial_token', (t) => {
    t.string('id', 36).primary()
    // SHA-256 of the token.
    t.string('digest', 43).notNullable().unique()
    t.string('label', 100).notNullable()
    // What may be registered with it, as JSON.
    t.text('policy').notNullable()
    t.integer('uses_left').notNullable()
    t.integer('used').notNullable().defaultTo(0)
    t.bigInteger('created_at').notNullable()
    t.string('created_by').notNullable()
    t.bigInteger('expires_at').notNullable()
    t.bigInteger('revoked_at')
  })
  // Somebody without a staff role asks for an app, or for a change of hers.
  await knex.schema.createTable('client_request', (t) => {
    t.string('id', 36).primary()
    t.string('account_id', 36).notNullable().references('account.id').onDelete('CASCADE').index()
    // Of the app it is about; empty until a new one is approved.
    t.string('client_id')
    // What she filled in, as JSON, and what it is for.
    t.text('wanted').notNullable()
    t.text('purpose').notNullable()
    // waiting, approved, refused or withdrawn.
    t.string('state', 12).notNullable()
    t.bigInteger('created_at').notNullable()
    t.bigInteger('decided_at')
    t.string('decided_by')
    t.text('reason')
    t.index(['state', 'created_at'])
  })
  // What people are looked up by: the beginnings of names, addresses and what they sign in with.
  await knex.raw(
    isPostgres(knex)
      ? `CREATE TABLE account_key (value varchar(200) COLLATE "C" NOT NULL, kind varchar(16) NOT NULL,
         account_id varchar(36) NOT NULL REFERENCES account (id) ON DELETE CASCADE,
         PRIMARY KEY (value, kind, account_id))`
      : `CREATE TABLE account_key (value varchar(200) NOT NULL, kind varchar(16) NOT NULL,
         account_id varchar(36) NOT NULL REFERENCES account (id) ON DELETE CASCADE,
         PRIMARY KEY (value, kind, account_id)) WITHOUT ROWID`,
  )
  // All of a key: of many people it is read from the index alone.
  await knex.raw('CREATE INDEX account_key_account ON account_key (account_id, value, kind)')
  // What an account's keys were made of: where it is another digest by now, they are made anew.
  await knex.schema.createTable('account_keyed', (t) => {
    t.string('account_id', 36).primary().references('account.id').onDelete('CASCADE')
    t.string('digest', 43).notNullable()
  })
  await knex.raw('CREATE INDEX account_updated_index ON account (updated_at, id)')
  await knex.raw('CREATE INDEX account_created_index ON account (created_at, id)')
  // Most are active: they are found by everything else.
  await knex.raw(
    "CREATE INDEX account_barred_index ON account (status, updated_at, id) WHERE status <> 'active'",
  )
  await knex.raw('CREATE INDEX identity_subject_index ON identity (subject)')
  await knex.raw('CREATE INDEX identity_connector_index ON identity (connector, account_id)')
  await knex.raw(
    'CREATE INDEX identity_unread_index ON identity (connector) WHERE unread IS NOT NULL',
  )
  await knex.raw(
    'CREATE INDEX affiliation_school_index ON affiliation (school_code, account_id, identity_id)',
  )
  // What one app was issued: what stands on a grant is found by that, so a sign-in writes to it once at most.
  await knex.raw(
    "CREATE INDEX oidc_payload_of_client ON oidc_payload (client_id, account_id) WHERE client_id IS NOT NULL AND (model = 'Grant' OR grant_id IS NULL)",
  )
  // How far a background job has come.
  await knex.schema.createTable('job_position', (t) => {
    t.string('job').primary()
    t.text('position').notNullable()
    t.bigInteger('at').notNullable()
  })
  await knex.schema.createTable('people_import', (t) => {
    t.string('id', 36).primary()
    t.string('file', 200).notNullable()
    // receiving, checking, checked, importing, done, stopped or failed.
    t.string('state', 12).notNullable()
    // What it should do, as JSON.
    t.text('rules').notNullable()
    t.integer('total').notNullable()
    // The last row of the file the phase it is in is through with.
    t.integer('position').notNullable().defaultTo(0)
    // How many rows were checked, were imported, and what became of them: while they are checked, what would.
    t.integer('checked').notNullable().defaultTo(0)
    t.integer('done').notNullable().defaultTo(0)
    t.integer('created').notNullable().defaultTo(0)
    t.integer('updated').notNullable().defaultTo(0)
    t.integer('same').notNullable().defaultTo(0)
    t.integer('refused').notNullable().defaultTo(0)
    t.integer('warned').notNullable().defaultTo(0)
    // Why it failed, or was given up.
    t.string('problem', 32)
    // How often in a row it came no further.
    t.integer('tries').notNullable().defaultTo(0)
    t.string('created_by').notNullable()
    // Who said that what was checked is to be imported.
    t.string('started_by')
    // Who went on with it after it was stopped.
    t.string('resumed_by')
    t.bigInteger('created_at').notNullable()
    // When the phase it is in began, or went on.
    t.bigInteger('phase_at').notNullable()
    t.integer('phase_from').notNullable().defaultTo(0)
    t.bigInteger('updated_at').notNullable()
    // What was uploaded is removed then; the report stays.
    t.bigInteger('expires_at').notNullable().index()
  })
  // Its rows, sealed, some hundreds at a time; gone when they are imported.
  await knex.schema.createTable('people_import_part', (t) => {
    t.string('import_id', 36).notNullable().references('people_import.id').onDelete('CASCADE')
    t.integer('first_row').notNullable()
    t.integer('last_row').notNullable()
    t.text('sealed').notNullable()
    t.primary(['import_id', 'first_row'])
  })
  // What became of rows that stand together: a letter for each.
  await knex.schema.createTable('people_import_outcome', (t) => {
    t.string('import_id', 36).notNullable().references('people_import.id').onDelete('CASCADE')
    t.integer('first_row').notNullable()
    t.text('outcomes').notNullable()
    t.primary(['import_id', 'first_row'])
  })
  // What is to be said of a row: never what stands in it.
  await knex.schema.createTable('people_import_note', (t) => {
    t.string('import_id', 36).notNullable().references('people_import.id').onDelete('CASCADE')
    t.integer('row').notNullable()
    t.string('outcome', 12).notNullable()
    // [{field, code}] as JSON.
    t.text('problems').notNullable()
    t.string('account_id', 36)
    t.primary(['import_id', 'row'])
  })
  // The same by reason: how many rows it fits, and the first of them.
  await knex.schema.createTable('people_import_reason', (t) => {
    t.string('import_id', 36).notNullable().references('people_import.id').onDelete('CASCADE')
    t.string('field', 32).notNullable()
    t.string('code', 32).notNullable()
    t.integer('row_count').notNullable()
    // Their numbers, with commas between.
    t.string('examples', 200).notNullable()
    t.integer('last_row').notNullable()
    t.primary(['import_id', 'field', 'code'])
  })
  // Sign-ins a day, by way, county and app: counted from the audit trail.
  await knex.schema.createTable('sign_in_count', (t) => {
    // A day in Taiwan, 2026-11-21.
    t.string('day', 10).notNullable()
    t.string('way', 16).notNullable()
    t.string('connector', 32).notNullable()
    t.string('client_id').notNullable()
    t.string('outcome', 16).notNullable()
    t.bigInteger('count').notNullable()
    t.primary(['day', 'way', 'connector', 'client_id', 'outcome'])
    t.index(['client_id', 'day'])
    t.index(['connector', 'day'])
  })
  await knex.schema.createTable('audit_position', (t) => {
    // How far a chain was counted.
    t.string('chain', 22).primary()
    t.bigInteger('seq').notNullable()
  })
  // What happened beside sign-ins, by who did it and to what: those are most of the trail, and pay nothing for it.
  for (const column of ['actor', 'target']) {
    await knex.raw(
      `CREATE INDEX audit_event_other_${column} ON audit_event (${column}, at) WHERE action <> 'session.sign-in'`,
    )
  }
  // How an upstream fared: changes of state, and what went wrong for people.
  await knex.schema.createTable('upstream_event', (t) => {
    t.string('id', 36).primary()
    t.string('connector', 32).notNullable()
    t.bigInteger('at').notNullable().index()
    // state, failure, switched …
    t.string('kind', 12).notNullable()
    // ok, slow, down; or the failure's name.
    t.string('what', 32).notNullable()
    t.string('ref', 64).notNullable()
    t.text('detail')
    t.index(['connector', 'at'])
  })
  // Upstreams staff switched off.
  await knex.schema.createTable('upstream_switch', (t) => {
    t.string('connector', 32).primary()
    t.bigInteger('off_at').notNullable()
    t.string('switched_by').notNullable()
    t.text('reason').notNullable()
  })
  // What a test sign-in brought, sealed: raw claims beside what the profile made of them.
  await knex.schema.createTable('upstream_test', (t) => {
    t.string('id', 43).primary()
    t.string('connector', 32).notNullable()
    t.string('account_id', 36).notNullable().references('account.id').onDelete('CASCADE').index()
    t.text('result').notNullable()
    t.bigInteger('expires_at').notNullable().index()
  })
}

export async function down(knex: Knex): Promise<void> {
  for (const table of [
    'upstream_test',
    'upstream_switch',
    'upstream_event',
    'audit_position',
    'sign_in_count',
    'people_import_reason',
    'people_import_note',
    'people_import_outcome',
    'people_import_part',
    'people_import',
    'job_position',
    'account_keyed',
    'account_key',
    'client_request',
    'initial_token',
    'client_logo',
    'client_owner',
    'client_version',
    'recovery_code',
    'second_factor',
    'sealed_note',
    'staff_invitation',
    'staff_role',
  ]) {
    await knex.schema.dropTable(table)
  }
  for (const index of [
    'oidc_payload_of_client',
    'identity_unread_index',
    'audit_event_other_actor',
    'audit_event_other_target',
    'account_updated_index',
    'account_created_index',
    'account_barred_index',
    'identity_subject_index',
    'identity_connector_index',
    'affiliation_school_index',
    'client_registration_token_index',
  ]) {
    await knex.raw(`DROP INDEX ${index}`)
  }
  for (const column of [
    'name',
    'kind',
    'version',
    'disabled_at',
    'secret_created_at',
    'secret_expires_at',
    'former_secret_hash',
    'former_secret_expires_at',
    'origin',
    'registration_token',
    'registration_policy',
  ]) {
    await knex.raw(`ALTER TABLE client DROP COLUMN ${column}`)
  }
}

const isPostgres = (knex: Knex) => knex.client.driverName === 'pg'
