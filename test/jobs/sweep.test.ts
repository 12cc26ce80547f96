/** What expired goes, what is still needed stays, and nobody who signs in meanwhile waits for it. */
import { statSync } from 'node:fs'
import test from 'ava'
import type { AdapterPayload } from 'oidc-provider'
import { openSweep } from '#jobs/sweep.ts'
import { findPastInteraction, openAdapter } from '#oidc/adapter.ts'
import { openDatabase } from '#store/database.ts'
import type { Store } from '#store/store.ts'
import { buildStore, type Engine, engines } from '../helpers/database.ts'

const minute = 60
const hour = 60 * minute
const start = 1_800_000_000

/** Artefacts that expired one after another during the hours before. */
async function fill(store: Store, engine: Engine, model: string, rows: number, expiresAt: number) {
  const knex = openDatabase(store.where)
  const columns = 'id, model, payload, grant_id, account_id, expires_at'
  if (engine === 'sqlite') {
    await knex.raw(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO oidc_payload (${columns})
       SELECT hex(randomblob(21)), ?, ?, hex(randomblob(21)), 'a', ? - i / 10 FROM n`,
      [rows, model, JSON.stringify({ kept: 'x'.repeat(300) }), expiresAt],
    )
  } else {
    await knex.raw(
      `INSERT INTO oidc_payload (${columns})
       SELECT md5(random()::text) || 'abcdefghij', ?, ?, md5(random()::text), 'a', ? - i / 10
       FROM generate_series(1, ?) AS i`,
      [model, JSON.stringify({ kept: 'x'.repeat(300) }), expiresAt, rows],
    )
  }
  await knex.destroy()
}

async function count(store: Store, table = 'oidc_payload'): Promise<number> {
  const knex = openDatabase(store.where)
  const [row] = await knex(table).count({ n: '*' })
  await knex.destroy()
  return Number(row?.n)
}

const signal = () => new AbortController().signal

const medianOf = (list: number[]) => list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0

for (const engine of engines) {
  test(`${engine}: fifty thousand expired rows go in small steps while sign-ins go on`, async (t) => {
    t.timeout(600_000)
    const store = await buildStore(t, engine)
    await fill(store, engine, 'AccessToken', 40_000, start - hour)
    await fill(store, engine, 'Interaction', 10_000, start - 25 * hour)
    await fill(store, engine, 'AccessToken', 1_000, start + hour)
    const steps: { rows: number; ms: number }[] = []
    const sweep = openSweep(store, () => start * 1000, {
      observe: (_kind, rows, ms) => steps.push({ rows, ms }),
    })
    const waits: number[] = []
    let saved = 0
    const passed: number[] = []
    let sweeping = true
    const signIns = (async () => {
      for (; sweeping; saved++) {
        const [began, before] = [performance.now(), steps.length]
        await store.payloads.save([
          { id: `new-${saved}`, model: 'Interaction', payload: {}, expiresAt: start + hour },
        ])
        waits.push(performance.now() - began)
        passed.push(steps.length - before)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
    await sweep.run(signal())
    sweeping = false
    await signIns
    t.is(await count(store), 1_000 + saved)
    t.true(steps.every(({ rows }) => rows <= 100))
    const step = medianOf(steps.map(({ ms }) => ms))
    const save = medianOf(waits)
    t.log(
      `${steps.length} steps: median ${step.toFixed(1)} ms; ${Math.max(...passed)} passed a save at most`,
    )
    t.log(
      `${saved} saves meanwhile: median ${save.toFixed(1)} ms, longest ${Math.max(...waits).toFixed(0)} ms`,
    )
    // A busy machine makes both slow: what counts is that they take turns.
    t.true(saved > steps.length / 2)
    t.true(passed.filter((steps) => steps > 2).length < saved / 50)
    t.true(step < 10 * save + 20)
  })

  test(`${engine}: a finished page and an ended session are known for a day after they expired`, async (t) => {
    const store = await buildStore(t, engine)
    let now = start
    const adapter = openAdapter(store, { now: () => now * 1000, dataKey: Buffer.alloc(32) })
    const sweep = openSweep(store, () => now * 1000)
    const interaction = { params: { client_id: 'app' }, uid: 'page' }
    await adapter('Interaction').upsert('page', interaction as AdapterPayload, hour)
    await adapter('Interaction').destroy('page')
    await adapter('Session').upsert('session', { uid: 'u', accountId: 'a' } as AdapterPayload, hour)
    await adapter('Session').destroy('session')
    await adapter('AccessToken').upsert('token', { accountId: 'a' } as AdapterPayload, hour)
    await adapter('ReplayDetection').upsert('jti', {} as AdapterPayload, hour)
    await adapter('Grant').upsert(
      'for ever',
      { accountId: 'a' } as AdapterPayload,
      undefined as never,
    )

    now = start + hour + 9 * minute
    await sweep.run(signal())
    t.is(await count(store), 5, 'what another clock may still take for valid')
    now = start + hour + 11 * minute
    await sweep.run(signal())
    t.is(await count(store), 3)
    now = start + 24 * hour + 30 * minute
    await sweep.run(signal())
    t.like(await findPastInteraction(store.payloads, 'page'), {
      finished: true,
      params: { client_id: 'app' },
    })
    await adapter('Session').upsert('session', { uid: 'u', accountId: 'a' } as AdapterPayload, hour)
    t.is(await adapter('Session').find('session'), undefined, 'nobody brings it back')
    now = start + 25 * hour + 1
    await sweep.run(signal())
    t.is(await findPastInteraction(store.payloads, 'page'), undefined)
    t.is(await count(store), 1, 'what never expires stays')
  })

  test(`${engine}: trips, leases and counters that are over go too`, async (t) => {
    const store = await buildStore(t, engine)
    let now = start
    const sweep = openSweep(store, () => now * 1000)
    const trip = { connector: 'ntpc', device: 'd', memo: '' }
    await store.trips.leave({ ...trip, id: 'old', expiresAt: start + 10 * minute })
    await store.leases.take('left behind', 'a killed process', start, start + 15)
    await store.limits.hit([{ key: 'k', points: 1, expiresAt: start + minute }], start)

    now = start + 23 * hour
    await sweep.run(signal())
    t.is((await store.trips.find('old'))?.id, 'old', 'late is still told from never left')
    t.deepEqual([await count(store, 'lease'), await count(store, 'rate_limit')], [1, 0])
    now = start + 25 * hour
    await sweep.run(signal())
    t.is(await store.trips.find('old'), undefined)
    t.is(await count(store, 'lease'), 0)
  })

  test(`${engine}: a sweep that is asked to stop stops between two steps`, async (t) => {
    const store = await buildStore(t, engine)
    await fill(store, engine, 'AccessToken', 5_000, start - hour)
    const stop = new AbortController()
    let steps = 0
    const observe = () => {
      steps++
      if (steps === 3) stop.abort()
    }
    await openSweep(store, () => start * 1000, { observe }).run(stop.signal)
    t.is(steps, 3)
    const left = await count(store)
    t.true(left > 4_500 && left < 5_000, `${left}`)
  })
}

test('two processes that sweep at once on PostgreSQL do not wait for each other and miss nothing', async (t) => {
  const store = await buildStore(t, 'postgres')
  await fill(store, 'postgres', 'AccessToken', 4_000, start - hour)
  const sweep = () => openSweep(store, () => start * 1000).run(signal())
  await Promise.all([sweep(), sweep()])
  await sweep()
  t.is(await count(store), 0)
})

test('what was written stands in SQLite’s own file once it is settled, whoever signs in next', async (t) => {
  const store = await buildStore(t, 'sqlite')
  const { where } = store
  if (where.engine !== 'sqlite') throw new Error('not SQLite')
  const payload = { text: 'x'.repeat(10_000) }
  await store.transaction(async ({ payloads }) => {
    // More than SQLite's own number of pages: the commit leaves them in the log.
    for (let i = 0; i < 500; i++) await payloads.save([{ id: `${i}`, model: 'Grant', payload }])
  })
  const before = statSync(where.file).size
  await store.sweeps.settle()
  t.true(statSync(where.file).size > before + 4_000_000)
  await (await buildStore(t, 'postgres')).sweeps.settle()
})
