/** The audit trail is added to and nothing else: the database itself refuses to change it. */
import type { Knex } from 'knex'

const words = 'the audit trail is append-only'

export async function up(knex: Knex): Promise<void> {
  if (isPostgres(knex)) {
    await knex.raw(`CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $body$
      BEGIN RAISE EXCEPTION '${words}'; END $body$`)
    await knex.raw(`CREATE TRIGGER audit_event_guard
      BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()`)
    return
  }
  for (const change of ['update', 'delete']) {
    await knex.raw(`CREATE TRIGGER audit_event_no_${change} BEFORE ${change} ON audit_event
      BEGIN SELECT RAISE(ABORT, '${words}'); END`)
  }
}

export async function down(knex: Knex): Promise<void> {
  if (isPostgres(knex)) {
    await knex.raw('DROP TRIGGER audit_event_guard ON audit_event')
    await knex.raw('DROP FUNCTION refuse_audit_change()')
    return
  }
  await knex.raw('DROP TRIGGER audit_event_no_update')
  await knex.raw('DROP TRIGGER audit_event_no_delete')
}

const isPostgres = (knex: Knex) => knex.client.driverName === 'pg'
