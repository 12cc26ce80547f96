import test, { type ExecutionContext } from 'ava'
import { openDatabase } from '#store/database.ts'
import type { NewMessage } from '#store/outbox.ts'
import { openStore, type Store } from '#store/store.ts'
import { buildStore, engines } from '../helpers/database.ts'

const message = (more: Partial<NewMessage> = {}): NewMessage => ({
  kind: 'mail',
  target: 'mail.edu.tw',
  payload: { link: 'https://id.example/reset/secret' },
  createdAt: 100,
  ...more,
})

const now = { at: 100, until: 130 }

/** Each of these holds on both engines. */
function contract(title: string, story: (t: ExecutionContext, store: Store) => Promise<void>) {
  for (const engine of engines) {
    test(`${engine}: ${title}`, async (t) => story(t, await buildStore(t, engine)))
  }
}

contract('a message is kept with what caused it, or not at all', async (t, store) => {
  await t.throwsAsync(
    store.transaction(async ({ outbox }) => {
      await outbox.put(message())
      throw new Error('power cut')
    }),
    { message: 'power cut' },
  )
  t.deepEqual(await store.outbox.list(), [])
  const id = await store.transaction(({ outbox }) => outbox.put(message()))
  t.deepEqual(await store.outbox.list(), [
    {
      id,
      kind: 'mail',
      target: 'mail.edu.tw',
      state: 'waiting',
      createdAt: 100,
      dueAt: 100,
      attempts: 0,
    },
  ])
})

contract('what it says is sealed; who has another key gets none of it', async (t, store) => {
  await store.outbox.put(message())
  const knex = openDatabase(store.where)
  t.teardown(() => knex.destroy())
  t.notRegex(JSON.stringify(await knex('outbox').select()), /secret|reset/)
  const stranger = openStore(store.where)
  t.teardown(() => stranger.close())
  stranger.beginOutbox(Buffer.alloc(32, 9))
  const [unread] = await stranger.outbox.claim('mail', { ...now, limit: 1 })
  t.is(unread?.payload, undefined)
  t.truthy(unread?.id)
  const [again] = await store.outbox.claim('mail', { at: 130, until: 160, limit: 1 })
  t.deepEqual(again?.payload, { link: 'https://id.example/reset/secret' })
})

contract('twenty who claim at once get every message once', async (t, store) => {
  const targets = Array.from({ length: 12 }, (_, i) => `${i}.example`)
  for (const target of targets) await store.outbox.put(message({ target }))
  const claims = await Promise.all(
    Array.from({ length: 20 }, () => store.outbox.claim('mail', { ...now, limit: 5 })),
  )
  const got = claims.flat().map(({ target }) => target)
  t.is(new Set(got).size, got.length, 'nobody got what another one has')
  const rest = await store.outbox.claim('mail', { ...now, limit: 50 })
  t.deepEqual([...got, ...rest.map(({ target }) => target)].sort(), targets.sort())
})

contract('a target hears one message at a time, the oldest first', async (t, store) => {
  const ids: string[] = []
  for (let i = 0; i < 3; i++) ids.push(await store.outbox.put(message()))
  for (const id of ids) {
    const claimed = await store.outbox.claim('mail', { ...now, limit: 10 })
    t.deepEqual(
      claimed.map((one) => one.id),
      [id],
    )
    t.deepEqual(await store.outbox.claim('mail', { ...now, limit: 10 }), [])
    await store.outbox.done(id)
  }
  t.deepEqual(await store.outbox.list(), [])
})

contract('what has failed before waits behind what has not', async (t, store) => {
  for (const target of ['dead.example', 'live.example']) await store.outbox.put(message({ target }))
  const first = await store.outbox.claim('mail', { ...now, limit: 1 })
  t.is(first[0]?.target, 'dead.example')
  for (const one of first) t.true(await store.outbox.postpone(one, 100, 'it did not answer'))
  const order = await store.outbox.claim('mail', { ...now, limit: 1 })
  t.is(order[0]?.target, 'live.example')
})

contract('kinds do not take each other’s messages', async (t, store) => {
  await store.outbox.put(message({ kind: 'backchannel-logout' }))
  t.deepEqual(await store.outbox.claim('mail', { ...now, limit: 1 }), [])
  t.is((await store.outbox.claim('backchannel-logout', { ...now, limit: 1 })).length, 1)
})

contract('nothing is claimed before it is due, and a postponed one not again', async (t, store) => {
  const id = await store.outbox.put(message({ dueAt: 105 }))
  t.deepEqual(await store.outbox.claim('mail', { at: 104, until: 130, limit: 1 }), [])
  const [claimed] = await store.outbox.claim('mail', { at: 105, until: 130, limit: 1 })
  t.is(claimed?.attempts, 1)
  t.true(
    await store.outbox.postpone({ id, attempts: 1, claimedUntil: 130 }, 110, 'it answered 500'),
  )
  t.deepEqual(await store.outbox.claim('mail', { at: 109, until: 130, limit: 1 }), [])
  t.like((await store.outbox.list())[0], { lastError: 'it answered 500', dueAt: 110 })
  t.is((await store.outbox.claim('mail', { at: 110, until: 130, limit: 1 }))[0]?.attempts, 2)
})

contract(
  'the claim of one who was killed runs out; he can say nothing any more',
  async (t, store) => {
    const id = await store.outbox.put(message())
    await store.outbox.claim('mail', { ...now, limit: 1 })
    t.deepEqual(await store.outbox.claim('mail', { at: 129, until: 160, limit: 1 }), [])
    const [second] = await store.outbox.claim('mail', { at: 130, until: 160, limit: 1 })
    t.like(second, { id, attempts: 2 })
    t.false(await store.outbox.postpone({ id, attempts: 1, claimedUntil: 130 }, 999, 'late'))
    t.false(await store.outbox.bury({ id, attempts: 1, claimedUntil: 130 }, 'late'))
    t.true(await store.outbox.bury({ id, attempts: 2, claimedUntil: 160 }, 'it answered 400'))
    t.deepEqual(await store.outbox.counts(), { waiting: 0, dead: 1 })
  },
)

contract('the dead lie still until staff try again or drop them', async (t, store) => {
  const { outbox } = store
  const ids = [await outbox.put(message()), await outbox.put(message({ target: 'b.example' }))]
  for (const one of await outbox.claim('mail', { ...now, limit: 2 })) await outbox.bury(one, 'no')
  t.deepEqual(await outbox.claim('mail', { at: 9_999, until: 10_000, limit: 5 }), [])
  t.is((await outbox.list('dead')).length, 2)
  t.deepEqual(await outbox.list('waiting'), [])

  const [first = '', second = ''] = ids
  t.true(await outbox.retry(first, 200))
  t.like((await outbox.list('waiting'))[0], { id: first, attempts: 0, dueAt: 200 })
  const [taken] = await outbox.claim('mail', { at: 200, until: 230, limit: 1 })
  t.is(taken?.id, first)
  t.false(await outbox.retry(first, 201), 'it is being delivered')
  t.is(await outbox.retryAll(201), 1)
  t.true(await outbox.drop(second))
  t.false(await outbox.drop(second))
  t.false(await outbox.retry(second, 201))
  t.is(await outbox.retryAll(500), 1, 'one whose deliverer was killed')
})

contract(
  'one message can be taken by its id, before it is due, by one caller',
  async (t, store) => {
    const id = await store.outbox.put(message({ dueAt: 500 }))
    const takes = await Promise.all([store.outbox.take(id, now), store.outbox.take(id, now)])
    t.is(takes.filter(Boolean).length, 1)
    t.deepEqual(takes.find(Boolean)?.payload, message().payload)
  },
)

contract('the long dead are dropped, nothing else', async (t, store) => {
  const { outbox } = store
  for (const dueAt of [10, 90, 95]) {
    const id = await outbox.put(message({ dueAt }))
    if (dueAt === 95) continue
    const taken = await outbox.take(id, now)
    if (taken) await outbox.bury(taken, 'no')
  }
  t.is(await outbox.dropDead(50), 1)
  t.deepEqual(
    (await outbox.list()).map(({ dueAt }) => dueAt),
    [90, 95],
  )
})

contract('a word is given when something was kept, not before', async (t, { where }) => {
  const words: string[] = []
  const store = openStore(where, { queued: () => words.push('queued') })
  t.teardown(() => store.close())
  store.beginOutbox(Buffer.alloc(32, 8))
  await store.transaction(async ({ outbox }) => {
    await outbox.put(message())
    t.deepEqual(words, [])
  })
  t.deepEqual(words, ['queued'])
  const failed = store.transaction(async ({ outbox }) => {
    await outbox.put(message())
    throw new Error('no')
  })
  await t.throwsAsync(failed)
  t.deepEqual(words, ['queued'])
  await store.outbox.put(message())
  t.deepEqual(words, ['queued', 'queued'])
})
