import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { openSignInCounting } from '#jobs/count-sign-ins.ts'
import { openRunner } from '#jobs/runner.ts'
import { openLog } from '#lib/log.ts'
import { dayIn } from '#lib/taiwan-days.ts'
import type { AuditEvent } from '#store/audit.ts'
import { openStore, type Store } from '#store/store.ts'
import { buildStore, type Engine, engines } from '../helpers/database.ts'

/** Noon in Taiwan. */
const noon = Date.parse('2026-11-21T12:00:00+08:00') / 1000

const signIn = (more: Partial<AuditEvent> = {}): AuditEvent => ({
  at: noon,
  actor: 'somebody',
  action: 'session.sign-in',
  target: 'client:courses',
  outcome: 'ok',
  details: { way: 'upstream', connector: 'ntpc' },
  ...more,
})

/** Another process on the same database: it writes a chain of its own. */
function another(t: ExecutionContext, store: Store): Store {
  const other = openStore(store.where)
  other.beginAudit(Buffer.alloc(32, 7))
  t.teardown(() => other.close())
  return other
}

const write = (store: Store, events: AuditEvent[]) =>
  Promise.all(events.map((event) => store.audit.record(event)))

const count = (store: Store, events?: number) =>
  openSignInCounting(store, events).run(new AbortController().signal)

const window = { from: '2026-01-01', until: '2026-12-31' }

const total = async (store: Store) =>
  (await store.signInCounts.sum(window, ['day'])).reduce((all, one) => all + one.count, 0)

function contract(title: string, story: (t: ExecutionContext, engine: Engine) => Promise<void>) {
  for (const engine of engines) test(`${engine}: ${title}`, (t) => story(t, engine))
}

contract(
  'sign-ins are counted by Taiwan’s day, way, county, app and outcome',
  async (t, engine) => {
    const store = await buildStore(t, engine)
    await write(store, [
      signIn(),
      signIn(),
      signIn({ outcome: 'unreachable' }),
      signIn({ target: 'client:library', details: { way: 'password' } }),
      // Half past seven in the morning of the 22nd in Taiwan is the 21st in Greenwich.
      signIn({ at: Date.parse('2026-11-22T07:30:00+08:00') / 1000 }),
      signIn({ action: 'consent.allow' }),
      signIn({ action: 'client.create', details: {} }),
    ])
    await count(store)
    const kinds = ['day', 'way', 'connector', 'clientId', 'outcome'] as const
    const [day, clientId] = ['2026-11-21', 'courses']
    const upstream = { day, way: 'upstream', connector: 'ntpc', clientId }
    t.deepEqual(await store.signInCounts.sum(window, kinds), [
      { day, way: 'password', connector: '', clientId: 'library', outcome: 'ok', count: 1 },
      { ...upstream, outcome: 'ok', count: 2 },
      { ...upstream, outcome: 'unreachable', count: 1 },
      { ...upstream, day: '2026-11-22', outcome: 'ok', count: 1 },
    ])
    const at = dayIn(noon)
    const within = { connectors: ['ntpc'] }
    t.deepEqual(await store.signInCounts.sum({ from: at, until: at, within }, ['way']), [
      { way: 'upstream', count: 3 },
    ])
    t.deepEqual(
      await store.signInCounts.sum({ ...window, within: { connectors: [] } }, ['way']),
      [],
    )
  },
)

contract('processes that count while others write count each one once', async (t, engine) => {
  const store = await buildStore(t, engine)
  const writers = [store, another(t, store), another(t, store)]
  const counters = [another(t, store), another(t, store)]
  const events = Array.from({ length: 60 }, (_, i) => signIn({ target: `client:app-${i % 7}` }))
  let writing = true
  const counting = counters.map(async (one) => {
    while (writing) await count(one, 7).then(() => sleep(1))
  })
  await Promise.all(writers.map((writer) => write(writer, events)))
  writing = false
  await Promise.all(counting)
  await Promise.all(counters.map((one) => count(one, 7)))
  t.is(await total(store), 180)
  t.deepEqual(await store.signInCounts.uncounted(), [])
})

contract(
  'whoever is killed in the middle leaves no event out and none twice',
  async (t, engine) => {
    const store = await buildStore(t, engine)
    await write(
      store,
      Array.from({ length: 150 }, () => signIn()),
    )
    for (const after of [1, 40]) {
      const child = fork(join(import.meta.dirname, 'counting-process.ts'), {
        env: { PATH: process.env.PATH, WHERE: JSON.stringify(store.where) },
      })
      t.teardown(() => child.kill('SIGKILL'))
      await once(child, 'message')
      await sleep(after)
      child.kill('SIGKILL')
      await once(child, 'exit')
      const [left] = await store.signInCounts.uncounted()
      t.is((left?.counted ?? 151) - Number((left?.counted ?? 0) > 0), await total(store))
    }
    await count(store)
    t.is(await total(store), 150)
  },
)

test('who is stopped in the middle does not say it is done, and goes on there', async (t) => {
  const store = await buildStore(t)
  const events = Array.from({ length: 30 }, () => signIn())
  await write(store, events)
  const ports = { store, log: openLog('silent'), now: Date.now, random: () => 0.5 }
  const noted = () => store.jobPositions.find('ran:count-sign-ins')
  const stopping = {
    ...store,
    transaction: <T>(work: Parameters<Store['transaction']>[0]) =>
      store.transaction(work).finally(() => void runner.close()) as Promise<T>,
  }
  const runner = openRunner([openSignInCounting(stopping, 7)], ports)
  t.true(await runner.runOnce('count-sign-ins'))
  const some = await total(store)
  t.true(some > 0 && some < 30, `${some}`)
  t.is(await noted(), undefined)
  const next = openRunner([openSignInCounting(store, 7)], ports)
  t.true(await next.runOnce('count-sign-ins'))
  t.is(await total(store), 30)
  t.like((await noted())?.position, { outcome: 'ok' })
  await next.close()
})

contract('a step that fails half way counts nothing', async (t, engine) => {
  const store = await buildStore(t, engine)
  await write(store, [signIn()])
  const broken = {
    ...store,
    transaction: <T>(work: Parameters<Store['transaction']>[0]) =>
      store.transaction(async (tables) => {
        await work(tables)
        throw new Error('power cut')
      }) as Promise<T>,
  }
  await t.throwsAsync(openSignInCounting(broken).run(new AbortController().signal), {
    message: 'power cut',
  })
  t.is(await total(store), 0)
  await count(store)
  t.is(await total(store), 1)
})
