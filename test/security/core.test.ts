/** What the operating core must not let through, lose or wait for. */

import { connect as connectTo, createServer, type Socket } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import test from 'ava'
import { openDatabase } from '#store/database.ts'
import { openStore } from '#store/store.ts'
import { createDatabase, createPostgres, dropPostgres } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { signIn } from '../helpers/sign-in.ts'
import { buildWorld } from '../helpers/world.ts'

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('what a replayed code gave stays dead when the person comes back to the app', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { browser, back } = await signIn(world, rp)
  let code = back.url
  // The replay comes before, while and after the first use is being answered.
  for (let round = 0; round < 12; round++) {
    const first = rp.redeem(code)
    await later(round / 4)
    const replies = await Promise.all([first, rp.redeem(code)])
    const [winner, ...others] = replies.filter(({ status }) => status === 200)
    t.deepEqual(others, [])
    code = (await rp.begin(browser)).url
    t.is((await rp.get('/me', winner?.body.access_token ?? '')).status, 401)
    const refresh_token = winner?.body.refresh_token ?? ''
    const renewed = await rp.token({ grant_type: 'refresh_token', refresh_token })
    t.is(renewed.body.error, 'invalid_grant')
  }
  t.is((await rp.redeem(code)).status, 200, 'she is signed in to the app')
})

test('rows saved by two requests in opposite order keep neither waiting', async (t) => {
  const where = { ...(await createDatabase(t, 'postgres')), connections: 10 }
  const store = openStore(where)
  t.teardown(() => store.close())
  await store.migrate()
  const row = (id: string) => ({ id, model: 'Grant', payload: { at: 1 }, expiresAt: 9 })
  const names = Array.from({ length: 4 }, (_, i) => `grant-${i}`)
  const saves = Array.from({ length: 400 }, (_, i) => {
    const rows = names.map(row)
    return store.payloads.save(i % 2 ? rows : rows.toReversed())
  })
  const failed = (await Promise.allSettled(saves)).filter(({ status }) => status === 'rejected')
  t.deepEqual(failed, [])
})

test('a write that failed long ago costs the next one no patience', async (t) => {
  const where = await createDatabase(t, 'sqlite')
  const store = openStore(where)
  t.teardown(() => store.close())
  await store.migrate()
  const trip = { id: 'one', connector: 'c', device: 'd', memo: 'm', expiresAt: 9 }
  await store.trips.leave(trip)
  await t.throwsAsync(store.trips.leave(trip), undefined, 'the same trip twice')
  await later(5_500)
  const other = new DatabaseSync(where.engine === 'sqlite' ? where.file : '')
  other.exec('BEGIN IMMEDIATE')
  const written = store.trips.leave({ ...trip, id: 'two' })
  setTimeout(() => {
    other.exec('ROLLBACK')
    other.close()
  }, 200)
  await t.notThrowsAsync(written)
})

test('connections whose other end is gone without a word are given up', async (t) => {
  const where = await createPostgres()
  t.teardown(() => dropPostgres(where))
  const { hostname, port } = new URL(where.url)
  // A database that moved: what was open goes nowhere, what is opened now arrives.
  const open: Socket[] = []
  const proxy = createServer((socket) => {
    const server = connectTo(Number(port), hostname)
    open.push(socket, server)
    socket.pipe(server).pipe(socket)
    for (const one of [socket, server]) one.on('error', () => socket.destroy())
    socket.on('close', () => server.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    proxy.close()
    for (const socket of open) socket.destroy()
  })
  const address = proxy.address()
  const url = new URL(where.url)
  url.hostname = '127.0.0.1'
  url.port = String(typeof address === 'object' ? address?.port : 0)
  const store = openStore({ ...where, url: url.href, connections: 3, patienceMs: 2_000 })
  t.teardown(() => store.close())
  const patient = openStore(where)
  await patient.migrate()
  await patient.close()
  const list = () => store.clients.list().catch(() => undefined)
  const isThere = (found: unknown) => found !== undefined
  // On a busy machine a first connection may take longer than its patience.
  t.deepEqual(await eventually(list, isThere), [])
  for (const socket of open) socket.unpipe().pause()
  await t.throwsAsync(store.clients.list(), { message: /timeout/ }, 'nothing came back')
  t.deepEqual(await eventually(list, isThere), [])
})

test('an app that asks for eduinfo while the database fails reads JSON, and nothing of the database', async (t) => {
  const world = await buildWorld(t)
  const knex = openDatabase(world.house.config.database)
  await knex.raw('ALTER TABLE oidc_payload RENAME TO gone')
  await knex.destroy()
  for (const path of ['/eduinfo/v1', '/eduinfo/v2', '/me']) {
    const headers = { authorization: `Bearer ${'x'.repeat(43)}` }
    const answer = await fetch(world.issuer + path, { headers })
    t.is(answer.status, 500, path)
    t.regex(answer.headers.get('content-type') ?? '', /^application\/json/, path)
    const text = await answer.text()
    t.is(JSON.parse(text).error, 'server_error', path)
    t.notRegex(text, /payload|select/i)
  }
})

test('two connections are enough for PostgreSQL', async (t) => {
  const where = { ...(await createDatabase(t, 'postgres')), connections: 2 }
  const store = openStore(where)
  t.teardown(() => store.close())
  t.true((await store.migrate()).length > 0)
  store.beginAudit(Buffer.alloc(32, 1))
  const event = { at: 1, actor: 'a', action: 'b', outcome: 'ok' }
  const work = Array.from({ length: 12 }, () => [
    store.transaction(({ audit }) => audit.record(event)),
    store.audit.record(event),
  ])
  await t.notThrowsAsync(Promise.all(work.flat()))
})
