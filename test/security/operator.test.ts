import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { loadConfig } from '#config/load.ts'
import { openLog } from '#lib/log.ts'
import { openApp } from '../../src/app.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { buildWorld } from '../helpers/world.ts'

const root = join(import.meta.dirname, '..', '..')
const production = {
  NODE_ENV: 'production',
  ISSUER: 'https://id.example.gov.tw',
  CITYGATE_KEK: 'c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE=',
}

test('the example key is refused in production in every spelling of base64', (t) => {
  for (const key of [
    'A'.repeat(43),
    `${'A'.repeat(43)}=`,
    ` ${'A'.repeat(43)}=`,
    `${'A'.repeat(42)}B`,
  ]) {
    t.throws(() => loadConfig({ ...production, CITYGATE_KEK: key }, root), undefined, key)
  }
  t.notThrows(() => loadConfig(production, root))
})

for (const [title, text] of [
  ['empty: its writer was killed', ''],
  ['cut short', 'c2l4dGVlbiBieXRlcw=='],
]) {
  test(`a key-encryption key file that is ${title}, stops the start`, async (t) => {
    const dataDir = temporaryFolder(t)
    writeFileSync(join(dataDir, 'key-encryption-key'), text ?? '')
    const config = { ...loadConfig({ SANDBOX: 'off' }, root), dataDir }
    await t.throwsAsync(async () => {
      const app = await openApp(config, { log: openLog('silent') })
      await app.close()
    })
  })
}

test('behind a public https issuer the sandbox runs only where somebody asked for it', (t) => {
  t.is(loadConfig({ ISSUER: 'https://id.example.gov.tw' }, root).sandbox, undefined)
})

test('a blank address to listen on is not every address', (t) => {
  for (const HOST of [' ', '127.0.0.1,', ',']) {
    t.throws(() => loadConfig({ HOST }, root), { message: /HOST/ }, JSON.stringify(HOST))
  }
  t.deepEqual(loadConfig({ HOST: '127.0.0.1, ::1' }, root).hosts, ['127.0.0.1', '::1'])
})

for (const [title, wrong] of [
  ['a client_uri that is no web page', { clientUri: 'javascript:alert(1)' }],
  ['a scope nobody has', { scopes: ['openid', 'nonsense'] }],
  ['keys over plain http', { authMethod: 'private_key_jwt', jwksUri: 'http://app.example/jwks' }],
  ['a back-channel address over plain http', { backchannelLogoutUri: 'http://app.example/logout' }],
  ['a host that would end a policy', { redirectUris: ['https://app.example;script-src/callback'] }],
  ['an API nobody configured', { resourceServer: 'https://api.example/none' }],
] as const) {
  test(`a registration with ${title} is rejected`, async (t) => {
    const world = await buildWorld(t)
    await t.throwsAsync(world.buildApp(wrong as object))
  })
}

test('a removed app leaves nobody’s consent and choice behind', async (t) => {
  const world = await buildWorld(t)
  const { store } = world.house
  const rp = await world.buildApp()
  const person = await world.buildPerson()
  await store.consents.put(person.sub, rp.clientId, { scopes: [], claims: [], resources: {} }, 1)
  await store.affiliationChoices.choose(person.sub, rp.clientId, '014569:teacher', 1)
  const { removeClient } = await import('#admin/clients.ts')
  await removeClient({ ...world.house, actor: 'operator:test' }, rp.clientId)
  t.deepEqual(await store.consents.clientsOf(person.sub), [])
  t.is((await store.affiliationChoices.ofAccount(person.sub)).size, 0)
})
