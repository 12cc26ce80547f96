import test from 'ava'
import { siteFile } from '#config/schema.ts'
import { deriveKey, seal } from '#lib/crypto.ts'
import { openKeyEncryption } from '#oidc/key-encryption.ts'
import { changeKeyEncryption, rotateDueKeys } from '#oidc/key-rotation.ts'
import { keyRules } from '#oidc/key-schedule.ts'
import { openKeys } from '#oidc/keys.ts'
import { buildStore } from '../helpers/database.ts'

const actor = 'operator:test'
const now = () => 1_700_000_000_000
const kek = openKeyEncryption(Buffer.alloc(32, 3))
const other = openKeyEncryption(Buffer.alloc(32, 4))
const rules = keyRules(siteFile.parse({ id: 'site', title: { 'zh-TW': '站', en: 'Site' } }))

test('keys are made once: a restart finds the same ones', async (t) => {
  const store = await buildStore(t)
  const first = await openKeys(store, kek, now, rules)
  t.deepEqual(
    first.signing.map(({ alg }) => alg),
    ['RS256', 'ES256'],
  )
  for (const key of [first.audit, first.pairwiseSalt, first.data, first.form, ...first.cookie]) {
    t.is(key.length, 32)
  }
  t.is((await store.keyRing.list()).filter(({ name }) => name === 'audit-1').length, 1)
  t.deepEqual(await openKeys(store, kek, now, rules), first)
})

test('two first starts at once end up with the same keys', async (t) => {
  const store = await buildStore(t)
  const open = () => openKeys(store, kek, now, rules)
  const [a, b] = await Promise.all([open(), open()])
  t.deepEqual(a, b)
})

test('the wrong key-encryption key stops the start in words and makes nothing new', async (t) => {
  const store = await buildStore(t)
  await openKeys(store, kek, now, rules)
  const before = await store.keyRing.list()
  await t.throwsAsync(openKeys(store, other, now, rules), {
    message:
      /^the key-encryption key does not open this database \(sealed under \w{12}, given \w{12}\): give the CITYGATE_KEK[^\n]+$/,
  })
  t.deepEqual(await store.keyRing.list(), before)
})

test('the database holds no private key in the clear', async (t) => {
  const store = await buildStore(t)
  const { signing, cookie, audit } = await openKeys(store, kek, now, rules)
  const stored = JSON.stringify(await store.keyRing.list())
  t.false(stored.includes(String(signing[0]?.d)))
  t.false(stored.includes(String(cookie[0]?.toString('base64url'))))
  t.false(stored.includes(audit.toString('base64url')))
})

test('a ring of the release before, without dates and check values, opens and rotates', async (t) => {
  const store = await buildStore(t)
  const made = await openKeys(store, kek, now, rules)
  const secrets = [
    ['signing-rs256-1', 'signing', JSON.stringify(made.signing[0])],
    ['cookie-1', 'cookie', made.cookie[0]?.toString('base64url') ?? ''],
  ] as const
  const key = deriveKey(Buffer.alloc(32, 3), 'citygate key ring')
  for (const [name, purpose, secret] of secrets) {
    await store.keyRing.remove(name)
    const sealed = seal(key, secret, `key_ring.${name}`)
    await store.keyRing.add({ name, purpose, sealed, createdAt: 1_600_000_000 })
  }
  t.deepEqual(await openKeys(store, kek, now, rules), made)
  await t.throwsAsync(openKeys(store, other, now, rules), {
    message: /does not open this database/,
  })
  const { made: successors } = await rotateDueKeys(store, kek, now, rules)
  t.deepEqual(successors, ['signing-rs256-2', 'cookie-2'])
})

test('the key-encryption key is changed: the new one opens the same keys, the old one is told in words', async (t) => {
  const store = await buildStore(t)
  const keys = await openKeys(store, kek, now, rules)
  t.is(await changeKeyEncryption({ store, kek, now, actor }, other), 6)
  t.deepEqual(await openKeys(store, other, now, rules), keys)
  await t.throwsAsync(openKeys(store, kek, now, rules), { message: /give the CITYGATE_KEK/ })
})

test('a change that cannot open one key changes none', async (t) => {
  const store = await buildStore(t)
  await openKeys(store, kek, now, rules)
  const strange = other.seal('cookie-9', 'AAAA')
  await store.keyRing.add({ name: 'cookie-9', purpose: 'cookie', createdAt: 1, ...strange })
  const before = await store.keyRing.list()
  await t.throwsAsync(changeKeyEncryption({ store, kek, now, actor }, other))
  t.deepEqual(await store.keyRing.list(), before)
})

test('while hosts move to another key-encryption key, what one adds all the others can open', async (t) => {
  const store = await buildStore(t)
  const later = () => now() + rules.used.signing * 1000
  const both = openKeyEncryption(Buffer.alloc(32, 4), Buffer.alloc(32, 3))
  await openKeys(store, kek, now, rules)
  // Moved already, and the ring is still sealed under the old one.
  await rotateDueKeys(store, both, later, rules)
  t.is((await openKeys(store, kek, later, rules)).signing.length, 4)
  await changeKeyEncryption({ store, kek: both, now, actor }, other)
  t.is((await openKeys(store, both, later, rules)).signing.length, 4)
  t.is((await openKeys(store, other, later, rules)).signing.length, 4)
})
