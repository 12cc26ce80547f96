import test, { type ExecutionContext } from 'ava'
import { openStore, type Store } from '#store/store.ts'
import { buildStore, engines } from '../helpers/database.ts'

/** Each of these holds on both engines. */
function contract(title: string, story: (t: ExecutionContext, store: Store) => Promise<void>) {
  for (const engine of engines) {
    test(`${engine}: ${title}`, async (t) => story(t, await buildStore(t, engine)))
  }
}

const one = (key: string, more = {}) => ({ key, points: 1, expiresAt: 160, ...more })

contract('of fifty hits at once each is counted and told another number', async (t, store) => {
  const counts = await Promise.all(
    Array.from({ length: 50 }, () => store.limits.hit([one('k')], 100)),
  )
  const points = counts.map(([count]) => count?.points ?? 0)
  t.deepEqual(
    points.sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, i) => i + 1),
  )
})

contract('two processes count together, also where their counters overlap', async (t, store) => {
  const other = openStore(store.where)
  t.teardown(() => other.close())
  const keys = ['a', 'b', 'c']
  await Promise.all(
    Array.from({ length: 60 }, (_, i) => {
      // In another order each time: nobody waits for somebody who waits for him.
      const turned = [...keys.slice(i % 3), ...keys.slice(0, i % 3)].map((key) => one(key))
      return (i % 2 ? store : other).limits.hit(turned, 100)
    }),
  )
  const counts = await store.limits.hit(
    keys.map((key) => one(key, { points: 0 })),
    100,
  )
  t.deepEqual(
    counts.map(({ points }) => points),
    [60, 60, 60],
  )
})

contract('a window begins with its first hit and is over when its time is', async (t, store) => {
  const hit = async (at: number) =>
    (await store.limits.hit([one('k', { expiresAt: at + 60 })], at))[0]
  t.like(await hit(100), { points: 1, expiresAt: 160 })
  t.like(await hit(159), { points: 2, expiresAt: 160 })
  t.like(await hit(160), { points: 1, expiresAt: 220 })
})

contract(
  'points are given back, and more than there were is not a credit',
  async (t, { limits }) => {
    await limits.hit([one('k', { points: 2 })], 100)
    t.like((await limits.hit([one('k', { points: -5 })], 100))[0], { points: 0 })
    t.like((await limits.hit([one('k')], 100))[0], { points: 1 })
    await limits.hit([one('never', { points: -1 })], 100)
    t.like((await limits.hit([one('never')], 100))[0], { points: 1 })
  },
)

contract('a wait lasts as long as it was set, and its window with it', async (t, { limits }) => {
  await limits.hit([one('k')], 100)
  await limits.hit([one('k', { points: 0, waitUntil: 300 })], 110)
  t.like((await limits.hit([one('k')], 299))[0], { points: 2, waitUntil: 300, expiresAt: 300 })
  t.like((await limits.hit([one('k', { expiresAt: 360 })], 300))[0], { points: 1, waitUntil: 0 })
})

contract('what is forgotten is forgotten, wait and all', async (t, { limits }) => {
  await limits.hit([one('k', { points: 4, waitUntil: 150 })], 100)
  t.like((await limits.hit([one('k', { points: 'none' })], 100))[0], { points: 0, waitUntil: 0 })
  t.like((await limits.hit([one('k')], 100))[0], { points: 1, waitUntil: 0 })
})

contract('counters whose window is over are swept', async (t, store) => {
  await store.limits.hit([one('old'), one('young', { expiresAt: 500 })], 100)
  const { removed } = await store.sweeps.remove('limits', { from: 0, before: 300, limit: 10 })
  t.is(removed, 1)
  t.like((await store.limits.hit([one('young')], 300))[0], { points: 2 })
})
