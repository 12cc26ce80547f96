import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openDatabase } from '#store/database.ts'
import { openStore } from '#store/store.ts'
import { openBrowser } from '../helpers/browser.ts'
import { buildStore, temporaryFolder, testEngine } from '../helpers/database.ts'
import { buildIdentity } from '../helpers/people.ts'
import { connectUpstream } from '../helpers/upstreams.ts'
import { buildWorld } from '../helpers/world.ts'

test('what the database refuses is not quoted in the error', async (t) => {
  const { accounts, credentials } = await buildStore(t)
  const account = {
    id: 'a1',
    kind: 'person',
    status: 'active' as const,
    profile: { name: { value: '王小明', by: 'self', at: 1 } },
    createdAt: 1,
    updatedAt: 1,
  }
  await accounts.create(account)
  const error = await t.throwsAsync(accounts.create(account))
  t.false(error?.message.includes('王小明'), error?.message)
  const credential = {
    id: 'c1',
    accountId: 'nobody',
    type: 'password' as const,
    secret: '$argon2id$v=19$m=65536,t=3,p=1$c2FsdA$aGFzaA',
    createdAt: 1,
    updatedAt: 1,
  }
  const refused = await t.throwsAsync(credentials.create(credential))
  t.false(refused?.message.includes('argon2id'), refused?.message)
})

test('a locked database puts no person into the log', async (t) => {
  const world = await buildWorld(t, { env: { DATABASE_TIMEOUT_MS: '2000' } })
  const knex = openDatabase(world.house.config.database)
  let letGo = async () => {}
  connectUpstream(world, {
    id: 'ntpc',
    origins: [],
    servers: [],
    probe: async () => {},
    begin: async (trip) => ({ url: `${trip.callbackUrl}?state=${trip.state}`, memo: {} }),
    async complete() {
      // Somebody else writes, for longer than we wait.
      const other = await knex.transaction()
      letGo = async () => void (await other.rollback())
      if (testEngine === 'postgres') await other.raw('LOCK TABLE account, identity')
      return buildIdentity()
    },
  })
  const rp = await world.buildApp()
  const page = await rp.begin(openBrowser(), { upstream: 'ntpc' })
  await letGo()
  await knex.destroy()
  t.is(page.status, 503)
  const log = world.log.join('')
  t.regex(log, /database is locked|statement timeout|read timeout/)
  t.notRegex(log, /王小明|teacher1/, log)
})

test('a forged id_token_hint is not quoted in the log', async (t) => {
  const world = await buildWorld(t)
  const part = (text: string) => Buffer.from(text).toString('base64url')
  const hint = `${part('{"alg":"RS256"}')}.${part('{"sub":A123456789}')}.x`
  const page = await openBrowser().open(`${world.issuer}/session/end?id_token_hint=${hint}`)
  t.is(page.status, 400)
  t.notRegex(world.log.join(''), /A12345/)
})

test('a pushed request that cannot be read is not quoted in the log', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const basic = Buffer.from(`${rp.clientId}:${rp.clientSecret}`).toString('base64')
  const parameters = new URL(rp.authorize({ claims: 'A123456789 is her number' })).searchParams
  const reply = await fetch(`${world.issuer}/request`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}`, accept: 'text/html' },
    body: parameters,
  })
  t.is(reply.status, 400)
  t.notRegex(world.log.join(''), /A12345/)
})

for (const [path, body] of [
  ['/token', { grant_type: 'refresh_token', refresh_token: 'x' }],
  ['/token/introspection', { token: 'x' }],
] as const) {
  test(`a fault of ours at ${path} is in the log with its cause`, async (t) => {
    const world = await buildWorld(t)
    const rp = await world.buildApp()
    world.house.store.payloads.find = async () => {
      throw new Error('the disk is gone')
    }
    const basic = Buffer.from(`${rp.clientId}:${rp.clientSecret}`).toString('base64')
    const reply = await fetch(world.issuer + path, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams(body),
    })
    t.is(reply.status, 500)
    t.regex(world.log.join(''), /the disk is gone/)
  })
}

test('every file of the database is readable by its owner only, in a folder others may enter', async (t) => {
  const folder = join(temporaryFolder(t), 'data')
  mkdirSync(folder, { mode: 0o755 })
  const store = openStore({ engine: 'sqlite', file: join(folder, 'citygate.sqlite3') })
  t.teardown(() => store.close())
  await store.migrate()
  const modes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777])
  t.true(modes.length > 1)
  t.deepEqual(
    modes,
    modes.map(([name]) => [name, 0o600]),
  )
})

test('the origin of a sandboxed frame is no app’s origin', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({
    type: 'native',
    redirectUris: ['tw.gov.example.app:/callback'],
  })
  const person = await world.buildPerson()
  const browser = openBrowser()
  const consent = await browser.submit(
    await rp.begin(browser, { scope: 'openid eduinfo' }),
    'local-form',
    person,
  )
  const answer = await browser.request(
    `${world.issuer}${new URL(consent.document.querySelector('#consent-form')?.getAttribute('action') ?? '', world.issuer).pathname}`,
    {
      method: 'POST',
      body: new URLSearchParams({
        form_token:
          consent.document
            .querySelector('#consent-form input[name=form_token]')
            ?.getAttribute('value') ?? '',
        decision: 'allow',
      }),
    },
  )
  const resumed = await browser.request(answer.headers.get('location') ?? '')
  const { body } = await rp.redeem(new URL(resumed.headers.get('location') ?? ''))
  for (const path of ['/me', '/eduinfo/v1']) {
    const reply = await fetch(world.issuer + path, {
      headers: { authorization: `Bearer ${body.access_token}`, origin: 'null' },
    })
    t.is(reply.headers.get('access-control-allow-origin'), null, `${path} ${reply.status}`)
  }
})
