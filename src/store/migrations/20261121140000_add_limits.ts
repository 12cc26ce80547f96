/** What is counted against a limit, by all processes together. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('rate_limit', (t) => {
    // An HMAC: who or where from cannot be read here.
    t.string('key', 43).primary()
    t.integer('points').notNullable()
    t.bigInteger('wait_until').notNullable()
    t.bigInteger('expires_at').notNullable().index()
  })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('rate_limit')
}
