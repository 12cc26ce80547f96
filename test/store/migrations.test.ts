import { statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openDatabase } from '#store/database.ts'
import { openStore } from '#store/store.ts'
import { temporaryFolder } from '../helpers/database.ts'

test('migrations go up, down and up again', async (t) => {
  const knex = openDatabase(join(temporaryFolder(t), 'test.sqlite3'))
  t.teardown(() => knex.destroy())
  const tables = async () =>
    (await knex('sqlite_master').where({ type: 'table' }).pluck('name')).filter(
      (name: string) => !name.startsWith('migration') && !name.startsWith('sqlite_'),
    )
  await knex.migrate.latest()
  const before = await tables()
  t.true(before.includes('account') && before.includes('oidc_payload'))
  await knex.migrate.rollback(undefined, true)
  t.deepEqual(await tables(), [])
  await knex.migrate.latest()
  t.deepEqual(await tables(), before)
})

test('the database is written ahead, checked, and readable by its owner only', async (t) => {
  const file = join(temporaryFolder(t), 'deep', 'test.sqlite3')
  const knex = openDatabase(file)
  t.teardown(() => knex.destroy())
  t.like(await knex.raw('PRAGMA journal_mode'), [{ journal_mode: 'wal' }])
  t.like(await knex.raw('PRAGMA synchronous'), [{ synchronous: 1 }])
  t.like(await knex.raw('PRAGMA foreign_keys'), [{ foreign_keys: 1 }])
  t.is(statSync(file).mode & 0o777, 0o600)
})

test('what a transaction did before it failed is undone', async (t) => {
  const store = openStore(join(temporaryFolder(t), 'test.sqlite3'))
  t.teardown(() => store.close())
  await store.migrate()
  const row = { id: 'c', metadata: {}, createdAt: 1, updatedAt: 1 }
  await t.throwsAsync(
    store.transaction(async (tables) => {
      await tables.clients.create(row)
      throw new Error('power cut')
    }),
    { message: 'power cut' },
  )
  t.is(await store.clients.find('c'), undefined)
})
