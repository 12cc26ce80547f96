/** What must reach the outside, kept with what caused it until it has. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('outbox', (t) => {
    // The order things were put in; `id` is what the receiver sees.
    t.bigIncrements('seq')
    t.string('id', 36).notNullable().unique()
    t.string('kind').notNullable()
    t.string('target').notNullable()
    t.text('payload').notNullable()
    t.string('state').notNullable()
    t.bigInteger('created_at').notNullable()
    t.bigInteger('due_at').notNullable()
    t.bigInteger('claimed_until').notNullable()
    t.integer('attempts').notNullable()
    t.string('last_error')
  })
  await knex.raw(
    "CREATE INDEX outbox_waiting_index ON outbox (kind, due_at) WHERE state = 'waiting'",
  )
  // Who is being spoken to just now: a few rows, however many wait.
  await knex.raw(
    'CREATE INDEX outbox_claimed_index ON outbox (kind, target, claimed_until) WHERE claimed_until > 0',
  )
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('outbox')
}
