import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { openStore } from '#store/store.ts'
import { buildStore, createDatabase, engines } from '../helpers/database.ts'

const lanes = 24
const turns = 40

for (const engine of engines) {
  test(`${engine}: transactions and single statements in one process lose nothing and wait for nobody forever`, async (t) => {
    // Fewer connections than lanes: who waits for one must hold nothing another one needs.
    const where = { ...(await createDatabase(t, engine)), connections: 4 }
    const store = openStore(where)
    t.teardown(() => store.close())
    await store.migrate()
    store.beginAudit(Buffer.alloc(32, 1))
    const event = { at: 1, actor: 'a', action: 'b', outcome: 'ok' }

    async function lane(number: number): Promise<number> {
      let kept = 0
      for (let turn = 0; turn < turns; turn++) {
        const id = `${number}-${turn}`
        const from = { connector: 'c', device: 'd' }
        await store.trips.leave({ id, ...from, memo: 'm', expiresAt: 9 })
        if (turn % 3 > 0) await store.audit.record(event)
        else {
          await store.transaction(async (tables) => {
            await tables.clients.create({ id, metadata: {}, createdAt: 1, updatedAt: 1 })
            await tables.audit.record(event)
          })
        }
        if (await store.trips.arrive(id, from, 5)) kept++
      }
      return kept
    }
    const kept = await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)))
    t.deepEqual(
      kept,
      Array.from({ length: lanes }, () => turns),
    )
    t.is((await store.clients.list()).length, lanes * Math.ceil(turns / 3))
    const [chain = ''] = await store.auditReads.chains()
    const rows = await store.auditReads.read(chain, 0, 10_000)
    // Its first event says that it began.
    t.is(rows.length, lanes * turns + 1)
    t.deepEqual(
      rows.map(({ seq }) => seq),
      rows.map((_, i) => i + 1),
    )
    // What is still under way when it closes opens nothing again, which would keep the process from ending.
    await store.close()
    const range = { from: 0, before: 1, limit: 1 }
    await t.throwsAsync(store.trips.arrive('0-0', { connector: 'c', device: 'd' }, 5))
    await t.throwsAsync(store.accounts.find('a'))
    await t.throwsAsync(store.sweeps.remove('trips', range))
  })
}

test('postgres: of two who wait for each other both come through', async (t) => {
  const store = await buildStore(t, 'postgres')
  const { payloads } = store
  const rows = ['a', 'b'].map((id) => ({ id, model: 'Grant', payload: {} }))
  await payloads.save(rows)
  let holding = 0
  let runs = 0
  const inOrder = (first: string, second: string) =>
    store.transaction(async (tables) => {
      runs++
      await tables.payloads.bury(first, 5)
      holding++
      // Each has what the other one wants.
      while (holding < 2) await sleep(5)
      await tables.payloads.bury(second, 5)
      await tables.audit.record({ at: 1, actor: first, action: 'b', outcome: 'ok' })
    })
  await Promise.all([inOrder('a', 'b'), inOrder('b', 'a')])
  t.is(runs, 3, 'one of them was ended, and began anew')
  const events = await store.auditReads.list({ action: 'b', limit: 9 })
  t.deepEqual(events.map(({ actor }) => actor).sort(), ['a', 'b'])
})

test('postgres: a statement alone comes through, too', async (t) => {
  const store = await buildStore(t, 'postgres')
  const { payloads } = store
  const rows = ['a', 'b'].map((id) => ({ id, model: 'Grant', payload: {} }))
  await payloads.save(rows)
  let saved: Promise<void> | undefined
  await store.transaction(async (tables) => {
    await tables.payloads.destroy('b')
    // It has `a` by then, waits for `b`, and waits longest: it is the one that is ended.
    saved ??= payloads.save(rows)
    await sleep(300)
    await tables.payloads.destroy('a')
  })
  await t.notThrowsAsync(async () => saved)
  t.is((await payloads.find(['a', 'b'])).length, 2)
})
