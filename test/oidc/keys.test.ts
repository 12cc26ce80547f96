import test from 'ava'
import { openKeys } from '#oidc/keys.ts'
import { buildStore } from '../helpers/database.ts'

const now = () => 1_700_000_000_000
const kek = Buffer.alloc(32, 3)

test('keys are made once: a restart finds the same ones', async (t) => {
  const store = await buildStore(t)
  const first = await openKeys(store, kek, now)
  t.deepEqual(
    first.signing.map(({ alg }) => alg),
    ['RS256', 'ES256'],
  )
  t.deepEqual(await openKeys(store, kek, now), first)
})

test('two first starts at once end up with the same keys', async (t) => {
  const store = await buildStore(t)
  const [a, b] = await Promise.all([openKeys(store, kek, now), openKeys(store, kek, now)])
  t.deepEqual(a, b)
})

test('the wrong key-encryption key stops the start in words and makes nothing new', async (t) => {
  const store = await buildStore(t)
  await openKeys(store, kek, now)
  const before = await store.keyRing.list()
  await t.throwsAsync(openKeys(store, Buffer.alloc(32, 4), now), {
    message: /the key-encryption key does not open this database/,
  })
  t.deepEqual(await store.keyRing.list(), before)
})

test('the database holds no private key in the clear', async (t) => {
  const store = await buildStore(t)
  const { signing, cookie } = await openKeys(store, kek, now)
  const stored = JSON.stringify(await store.keyRing.list())
  t.false(stored.includes(String(signing[0]?.d)))
  t.false(stored.includes(String(cookie[0]?.toString('base64url'))))
})
