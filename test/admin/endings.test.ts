/** What a large app was issued is ended a part at a time: nobody finds any of it alive, whenever the process ends. */
import test, { type ExecutionContext } from 'ava'
import type { Provider } from 'oidc-provider'
import { disable, enable, remove } from '#admin/clients/standing.ts'
import { operatorActing } from '#admin/operation.ts'
import { endIssued, openEnding } from '#jobs/end-issued.ts'
import { endings, finishEnding } from '#oidc/ending.ts'
import { openDatabase } from '#store/database.ts'
import { openStore, type Store } from '#store/store.ts'
import { buildStore, type Engine, engines } from '../helpers/database.ts'

const at = 1_700_000_000
const later = at + 86_400
const by = operatorActing('operator:test', at)
const app = { id: 'large', name: '課程平台' }
const people = 260

/** An app that many people are signed in to, and another one of theirs. */
async function largeApp(t: ExecutionContext, engine: Engine) {
  const store = await buildStore(t, engine)
  const metadata = { redirect_uris: [], backchannel_logout_uri: 'https://app.example/out' }
  const row = { metadata, kind: 'web' as const, version: 1, createdAt: at, updatedAt: at }
  await store.clients.put({ ...row, ...app })
  await store.clients.put({ ...row, id: 'other', name: 'other' })
  for (let i = 0; i < people; i++) {
    await store.payloads.save(issued(app.id, `p${i}`))
  }
  await store.payloads.save(issued('other', 'p0'))
  const authorizations = { large: { sid: 'sid-p0' }, other: { sid: 'other' } }
  await store.payloads.save([session('p0', authorizations)])
  // A program's own tokens stand on nobody's grant.
  for (let i = 0; i < 300; i++) {
    await store.payloads.save([
      { id: `own ${i}`, model: 'ClientCredentials', payload: {}, clientId: app.id },
    ])
  }
  const ports = { store, provider: {} as Provider }
  return { store, ports, left: () => left(store), told: () => told(store) }
}

const session = (accountId: string, authorizations: object) => ({
  id: `session ${accountId}`,
  model: 'Session',
  payload: { authorizations },
  uid: accountId,
  accountId,
  expiresAt: later,
})

function issued(clientId: string, accountId: string) {
  const grantId = `${clientId} ${accountId}`
  const of = { payload: {}, grantId, accountId, clientId, expiresAt: later }
  return [
    { ...of, id: `grant ${grantId}`, model: 'Grant' },
    { ...of, id: `refresh ${grantId}`, model: 'RefreshToken' },
    session(accountId, { [clientId]: { sid: `sid-${accountId}` } }),
  ]
}

async function left(store: Store): Promise<number> {
  const knex = openDatabase(store.where)
  try {
    const [row] = await knex('oidc_payload').where({ client_id: app.id }).count({ n: '*' })
    return Number(row?.n)
  } finally {
    await knex.destroy()
  }
}

const told = async (store: Store) =>
  (await store.outbox.list()).filter(({ target }) => target === app.id).length

for (const engine of engines) {
  test(`${engine}: a large app is refused at once, and its ending goes on where it was broken off`, async (t) => {
    const { store, ports, left, told } = await largeApp(t, engine)
    const all = await left()
    t.is((await disable(ports, by, app)).kind, 'done')
    t.is((await store.clients.find(app.id))?.disabledAt, at)
    const first = await left()
    t.true(first < all && first > 0, 'a part of it ends at once')
    const farewells = await told()
    t.true(farewells > 0 && farewells < people)

    // The process ends in the middle of the next part, and in the pause after the one that follows.
    const killed = {
      sweeps: store.sweeps,
      transaction: <T>(work: Parameters<Store['transaction']>[0]) =>
        store.transaction(async (tables) => {
          await work(tables)
          throw new Error('killed')
        }) as Promise<T>,
    } as Pick<Store, 'transaction' | 'sweeps'>
    await t.throwsAsync(finishEnding(killed, app.id, at), { message: 'killed' })
    t.is(await left(), first, 'nothing is half ended')
    t.is(await told(), farewells)
    const stop = new AbortController()
    const part = finishEnding(store, app.id, at, stop.signal)
    stop.abort()
    await part
    t.true((await left()) < first)
    t.truthy(await store.jobPositions.find(endings + app.id))

    // Two others go on at the same moment.
    const neighbour = openStore(store.where)
    t.teardown(() => neighbour.close())
    neighbour.beginOutbox(Buffer.alloc(32))
    const jobs = [store, neighbour].map((each) => openEnding(each, () => at * 1000))
    await Promise.all(jobs.map((job) => job.run(new AbortController().signal)))
    t.is(jobs[0]?.name, endIssued)
    t.is(await left(), 0)
    t.is(await told(), people, 'everybody’s farewell is said once')
    t.deepEqual(await store.jobPositions.list(endings), [])
    t.is((await store.payloads.find(['grant other p0', 'refresh other p0'])).length, 2)
    t.is((await store.payloads.sessionsOf('p0', at)).length, 1, 'she is signed in elsewhere')
  })

  test(`${engine}: a large app that is enabled at once finds nothing of what it had`, async (t) => {
    const { store, ports, left, told } = await largeApp(t, engine)
    await disable(ports, by, app)
    t.true((await left()) > 0)
    // Issued by another process in the second before it heard.
    await store.payloads.save(issued(app.id, 'late'))
    t.is((await enable(ports, by, app.id)).kind, 'done')
    t.is(await left(), 0)
    t.is((await store.clients.find(app.id))?.disabledAt, undefined)
    t.is(await told(), people + 1)
    await store.payloads.save(issued(app.id, 'p1'))
    await openEnding(store, () => at * 1000).run(new AbortController().signal)
    t.is(await left(), 2, 'what it is issued from now on stays')
  })

  test(`${engine}: a large app that was removed is told to the end, also when it was disabled before`, async (t) => {
    const { store, ports, left, told } = await largeApp(t, engine)
    await disable(ports, by, app)
    t.is((await remove(ports, by, app)).kind, 'done')
    t.true((await left()) > 0)
    await openEnding(store, () => at * 1000).run(new AbortController().signal)
    t.is(await left(), 0)
    t.is(await told(), people)
  })
}
