/** Keys know when they begin to be used and which key-encryption key sealed them. */
import type { Knex } from 'knex'

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('key_ring', (t) => {
    t.bigInteger('signs_at')
    t.string('kek_id', 12)
  })
  await knex('key_ring').update({ signs_at: knex.ref('created_at') })
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('key_ring', (t) => {
    t.dropColumn('signs_at')
    t.dropColumn('kek_id')
  })
}
