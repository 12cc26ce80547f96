import { statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openDatabase } from '#store/database.ts'
import { migrationNames } from '#store/migrations/index.ts'
import { openStore } from '#store/store.ts'
import { createDatabase, engines, temporaryFolder } from '../helpers/database.ts'

const client = (id: string) => ({ id, metadata: {}, createdAt: 1, updatedAt: 1 })

for (const engine of engines) {
  test(`${engine}: migrations go up, down one by one and up again, with data in the tables`, async (t) => {
    const where = await createDatabase(t, engine)
    const store = openStore(where)
    t.teardown(() => store.close())
    t.deepEqual(await store.pendingMigrations(), migrationNames)
    t.deepEqual(await store.migrate(), migrationNames)
    t.deepEqual(await store.pendingMigrations(), [])
    t.deepEqual(await store.migrate(), [])
    await store.clients.create(client('kept'))
    await store.payloads.save([{ id: 'p', model: 'Session', payload: { a: 1 }, uid: 'u' }])

    const knex = openDatabase(where)
    t.teardown(() => knex.destroy())
    for (const name of migrationNames.slice(1)) {
      await knex.migrate.down()
      t.log(`went down from ${name}`)
    }
    t.deepEqual(await knex('client').pluck('id'), ['kept'])
    t.deepEqual(await knex('oidc_payload').pluck('uid'), ['u'])
    await knex.migrate.latest()
    t.is((await store.payloads.findByUid('u'))?.id, 'p')

    await knex.migrate.rollback(undefined, true)
    t.false(await knex.schema.hasTable('oidc_payload'))
    await knex.migrate.latest()
    t.true(await knex.schema.hasTable('oidc_payload'))
  })

  test(`${engine}: processes that start at once migrate once`, async (t) => {
    const where = await createDatabase(t, engine)
    const stores = Array.from({ length: 5 }, () => openStore(where))
    t.teardown(() => Promise.all(stores.map((store) => store.close())))
    const ran = await Promise.all(stores.map((store) => store.migrate()))
    t.deepEqual(ran.flat(), migrationNames)
  })

  test(`${engine}: a lock left by a process killed in the middle holds nobody up`, async (t) => {
    const where = await createDatabase(t, engine)
    const knex = openDatabase(where)
    t.teardown(() => knex.destroy())
    await knex.migrate.up()
    await knex('migration_lock').update({ is_locked: 1 })
    const store = openStore(where)
    t.teardown(() => store.close())
    t.deepEqual(await store.migrate(), migrationNames.slice(1))
  })

  test(`${engine}: what a transaction did before it failed is undone`, async (t) => {
    const store = openStore(await createDatabase(t, engine))
    t.teardown(() => store.close())
    await store.migrate()
    await t.throwsAsync(
      store.transaction(async (tables) => {
        await tables.clients.create(client('c'))
        throw new Error('power cut')
      }),
      { message: 'power cut' },
    )
    t.is(await store.clients.find('c'), undefined)
  })
}

test('the SQLite file is written ahead, checked, and readable by its owner only', async (t) => {
  const file = join(temporaryFolder(t), 'deep', 'test.sqlite3')
  const knex = openDatabase({ engine: 'sqlite', file })
  t.teardown(() => knex.destroy())
  t.like(await knex.raw('PRAGMA journal_mode'), [{ journal_mode: 'wal' }])
  t.like(await knex.raw('PRAGMA synchronous'), [{ synchronous: 1 }])
  t.like(await knex.raw('PRAGMA foreign_keys'), [{ foreign_keys: 1 }])
  t.is(statSync(file).mode & 0o777, 0o600)
})
