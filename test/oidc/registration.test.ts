/** Programs that register themselves (RFC 7591) and look after their registration (RFC 7592). */
import test from 'ava'
import * as client from 'openid-client'
import { perform } from '#admin/operation.ts'
import { getClient, updateClient } from '#admin/operations/clients.ts'
import { createRegistrationToken, revokeRegistrationToken } from '#admin/operations/registration.ts'
import { operatorBy } from '#admin/staff.ts'
import { openBrowser } from '../helpers/browser.ts'
import { openRelyingParty } from '../helpers/relying-party.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const by = operatorBy('operator:test')
const wanted = {
  label: '課程平台',
  kinds: ['web' as const],
  scopes: ['profile', 'email'],
  hosts: ['app.example', '.edu.example'],
  uses: 100,
}

let world: World
let token: string

test.before(async () => {
  world = await openSharedWorld({ registration: { dynamic: true } })
  token = (await makeToken()).token
})

async function makeToken(overrides: Partial<typeof wanted> = {}) {
  const made = await perform(world.house, by, createRegistrationToken, { ...wanted, ...overrides })
  if (made.kind !== 'done') throw new Error(JSON.stringify(made))
  return made.value
}

type Json = Record<string, unknown>

async function call(path: string, method: string, bearer: string | null, body?: object) {
  const response = await fetch(path.startsWith('http') ? path : `${world.issuer}${path}`, {
    method,
    headers: {
      ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await response.text()
  return { status: response.status, body: (text ? JSON.parse(text) : {}) as Json }
}

const register = (metadata: object, bearer: string | null = token) =>
  call('/reg', 'POST', bearer, { redirect_uris: ['https://app.example/cb'], ...metadata })

test('openid-client registers an app with a token of staff’s, and people sign in to it', async (t) => {
  const config = await client.dynamicClientRegistration(
    new URL(world.issuer),
    { client_name: '自行註冊', redirect_uris: ['https://app.example/cb'] },
    undefined,
    { initialAccessToken: token, execute: [client.allowInsecureRequests] },
  )
  const registration = config.clientMetadata() as Json
  t.is(registration.client_name, '自行註冊')
  const rp = openRelyingParty(world.issuer, registration, 'https://app.example/cb')
  const person = await world.buildPerson({ account: 'dynamic@mail.edu.tw' })
  const browser = openBrowser()
  const page = await rp.begin(browser)
  const asked = await browser.submit(page, 'local-form', person)
  t.truthy(asked.document.querySelector('#consent-form'), 'it is never one of our own')
  const back = await browser.submit(asked, 'consent-form', { decision: 'allow' })
  const { status, body } = await rp.redeem(back.url)
  t.is(status, 200, JSON.stringify(body))
  t.is((await rp.verify(body.id_token)).payload.sub, person.sub)
  const row = await world.house.store.clients.find(rp.clientId)
  t.like(row, { origin: 'dynamic', kind: 'web', name: '自行註冊', version: 1 })
  t.is((await world.house.store.clientVersions.list(rp.clientId, 9, 9))[0]?.because, 'register')
})

test('without a token, with one used up, expired or revoked nobody registers', async (t) => {
  t.is((await register({}, null)).status, 401)
  t.is((await register({}, 'x'.repeat(43))).status, 401)
  const once = await makeToken({ uses: 1 })
  const tries = await Promise.all([1, 2, 3, 4].map(() => register({}, once.token)))
  t.deepEqual(tries.map(({ status }) => status).sort(), [201, 401, 401, 401])
  const revoked = await makeToken()
  await perform(world.house, by, revokeRegistrationToken, { id: revoked.id })
  t.is((await register({}, revoked.token)).status, 401)
})

test('a program gets no more than its token says, and nothing it names is looked up', async (t) => {
  for (const [what, metadata] of Object.entries({
    'another host': { redirect_uris: ['https://evil.example/cb'] },
    'a host that only ends alike': { redirect_uris: ['https://notapp.example/cb'] },
    'the bare domain of a suffix': { redirect_uris: ['https://edu.example/cb'] },
    'a fragment': { redirect_uris: ['https://app.example/cb#x'] },
    'a wildcard': { redirect_uris: ['https://app.example/*'] },
    'no TLS': { redirect_uris: ['http://app.example/cb'] },
    'a script': { redirect_uris: ['javascript:alert(1)'], application_type: 'native' },
    'its own user name': { redirect_uris: ['https://u:p@app.example/cb'] },
    'a scope beyond': { scope: 'openid phone' },
    'our own API': { scope: 'openid admin:clients.read' },
    'another kind': { token_endpoint_auth_method: 'none' },
    'a machine': { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    'both at once': { grant_types: ['authorization_code', 'client_credentials'] },
    'a device': {
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
    },
    'a software statement': { software_statement: 'eyJ.e30.' },
    'a sector of others': { sector_identifier_uri: 'https://app.example/sector.json' },
    'keys inside our network': { jwks_uri: 'https://127.0.0.1/keys' },
    'logouts inside our network': { backchannel_logout_uri: 'https://169.254.169.254/' },
    'contacts that are none': { contacts: ['<b>me</b>'] },
    'too many addresses': {
      redirect_uris: Array.from({ length: 21 }, (_, i) => `https://app.example/${i}`),
    },
    'a name without end': { client_name: '名'.repeat(101) },
    'a name that steers a terminal': { client_name: '課程\u009b2J平台' },
    'a name nobody sees': { client_name: '\u200b\u00ad' },
    'a name no database keeps': { client_name: '課程\0平台' },
    'half of a character': { contacts: ['a@b.example'], 'client_name#en': '\ud800x' },
    'a list that is none': { redirect_uris: 'https://app.example/cb' },
  })) {
    const { status, body } = await register(metadata)
    t.is(status, 400, what)
    t.regex(
      String(body.error),
      /^invalid_(client_metadata|redirect_uri|software_statement)$/,
      `${what}: ${JSON.stringify(body)}`,
    )
  }
  const huge = await register({ client_name: 'x'.repeat(70_000) })
  t.is(huge.status, 400)
  const deep = await fetch(`${world.issuer}/reg`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: `{"contacts":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
  })
  t.is(deep.status, 400)
  const { body } = await register({
    first_party: true,
    require_pkce: false,
    resource_server: 'https://api.cloud.edu.tw/learning',
    api_scopes: ['admin:staff.write'],
    logo_uri: 'https://app.example/logo.svg',
    redirect_uris: ['https://portal.edu.example/cb'],
  })
  const row = await world.house.store.clients.find(String(body.client_id))
  t.is(row?.metadata.scope, 'openid profile email')
  t.deepEqual(row?.metadata.resource_scopes, [])
  for (const name of [
    'first_party',
    'require_pkce',
    'resource_server',
    'api_scopes',
    'logo_uri',
    'client_secret',
  ]) {
    t.false(Object.hasOwn(row?.metadata ?? {}, name), name)
  }
})

test('an app reads, changes and removes itself, each time with the token it got last', async (t) => {
  const { body: made } = await register({ client_name: '先前' })
  const uri = String(made.registration_client_uri)
  const first = String(made.registration_access_token)
  t.like(await call(uri, 'GET', first), { status: 200, body: { client_name: '先前' } })
  t.false('client_secret' in (await call(uri, 'GET', first)).body, 'we keep its digest only')

  const change = (bearer: string, more: object) =>
    call(uri, 'PUT', bearer, {
      client_id: made.client_id,
      redirect_uris: ['https://app.example/cb'],
      client_name: '後來',
      ...more,
    })
  t.is((await change(first, { client_secret: 'wrong' })).status, 400)
  t.is((await change(first, { redirect_uris: ['https://evil.example/'] })).status, 400)
  const changed = await change(first, { client_secret: made.client_secret })
  t.like(changed, { status: 200, body: { client_name: '後來' } })
  t.false('client_secret' in changed.body)
  const second = String(changed.body.registration_access_token)
  t.not(second, first)
  t.is((await change(first, {})).status, 401, 'used once')
  t.is((await call(uri, 'GET', first)).status, 401)

  const rp = openRelyingParty(world.issuer, made, 'https://app.example/cb')
  t.is(
    (
      await rp.token({
        grant_type: 'authorization_code',
        code: 'x',
        redirect_uri: 'https://app.example/cb',
      })
    ).body.error,
    'invalid_grant',
    'its secret is good still',
  )

  const races = await Promise.all([1, 2, 3].map((n) => change(second, { client_name: `${n}` })))
  t.deepEqual(races.map(({ status }) => status).sort(), [200, 401, 401])
  const last = String(races.find(({ status }) => status === 200)?.body.registration_access_token)
  t.is((await call(uri, 'DELETE', last)).status, 204)
  t.is(await world.house.store.clients.find(String(made.client_id)), undefined)
  t.is((await call(uri, 'GET', last)).status, 401)
})

test('nobody reads or touches another app with a token of his own', async (t) => {
  const [{ body: mine }, { body: hers }] = [await register({}), await register({})]
  const staffMade = await world.buildApp()
  const own = String(mine.registration_access_token)
  for (const id of [String(hers.client_id), staffMade.clientId, 'citygate-console', 'nobody']) {
    t.is((await call(`/reg/${id}`, 'GET', own)).status, 401, id)
    t.is((await call(`/reg/${id}`, 'DELETE', own)).status, 401, id)
  }
  t.truthy(await world.house.store.clients.find(String(hers.client_id)))
})

test('digests are kept of every token, and the record says who registered what', async (t) => {
  const { body } = await register({ client_name: '紀錄' })
  const { store } = world.house
  const [event] = await store.auditReads.list({
    limit: 9,
    action: 'client.register',
    target: `client:${body.client_id}`,
  })
  t.is(event?.actor, `client:${body.client_id}`)
  t.is(event?.details.name, '紀錄')
  const text = JSON.stringify([
    await store.auditReads.list({ limit: 1000 }),
    await store.registrations.listTokens(undefined, 100),
    await store.clients.list(),
    world.log,
  ])
  for (const secret of [token, body.registration_access_token, body.client_secret]) {
    t.false(text.includes(String(secret)))
  }
})

test('pairwise subjects are not changed by the app itself', async (t) => {
  const made = await makeToken({ hosts: ['app.example', 'other.example'] })
  const { body } = await register({ subject_type: 'pairwise' }, made.token)
  const change = (more: object) =>
    call(String(body.registration_client_uri), 'PUT', String(body.registration_access_token), {
      client_id: body.client_id,
      redirect_uris: ['https://app.example/cb'],
      subject_type: 'pairwise',
      ...more,
    })
  t.is((await change({ subject_type: 'public' })).status, 400)
  t.is((await change({ redirect_uris: ['https://other.example/cb'] })).status, 400)
  t.is((await change({ redirect_uris: ['https://app.example/new'] })).status, 200)
})

test('where nobody switched it on there is no such endpoint', async (t) => {
  const off = await buildWorld(t)
  const discovery = await (await fetch(`${off.issuer}/.well-known/openid-configuration`)).json()
  t.is((discovery as Json).registration_endpoint, undefined)
  t.is((await fetch(`${off.issuer}/reg`, { method: 'POST' })).status, 404)
  const made = await perform(off.house, by, createRegistrationToken, wanted)
  t.deepEqual(made, { kind: 'refused', why: 'registration.off' })
})

test('what staff took away from an app it does not take back, and what they give again it may have', async (t) => {
  const { house } = world
  const cb = 'https://app.example/cb'
  const other = 'https://other.edu.example/cb'
  const out = 'https://app.example/out'
  const wide = {
    client_name: '自己',
    redirect_uris: [cb, other],
    post_logout_redirect_uris: [out],
    scope: 'openid profile email',
  }
  const { body: made } = await register(wide)
  const id = String(made.client_id)
  let bearer = String(made.registration_access_token)
  const put = async (metadata: object) => {
    const uri = String(made.registration_client_uri)
    const answer = await call(uri, 'PUT', bearer, { ...metadata, client_id: id })
    if (answer.status === 200) bearer = String(answer.body.registration_access_token)
    return answer
  }
  const staffChange = async (changes: object) => {
    const found = await perform(house, by, getClient, { id })
    if (found.kind !== 'done') throw new Error(found.kind)
    const { version } = found.value
    const outcome = await perform(house, by, updateClient, { id, version, ...changes })
    if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome))
  }
  const metadata = async () => (await house.store.clients.find(id))?.metadata ?? {}

  // What it did not ask for is not taken away either.
  t.is((await put({ ...wide, scope: 'openid profile', redirect_uris: [cb] })).status, 200)
  await staffChange({ name: '改名' })
  t.is((await put(wide)).status, 200, 'nobody narrowed it')

  await staffChange({ redirectUris: [cb], scopes: ['openid', 'profile'] })
  const address = await put({ ...wide, scope: 'openid profile' })
  t.like(address, { status: 400, body: { error: 'invalid_redirect_uri' } })
  t.regex(String(address.body.error_description), /staff/)
  const new_ = { ...wide, redirect_uris: ['https://app.example/new'], scope: 'openid profile' }
  t.is((await put(new_)).status, 400, 'nor is another one put in its place')
  const scope = await put({ ...wide, redirect_uris: [cb] })
  t.like(scope, { status: 400, body: { error: 'invalid_client_metadata' } })
  const { scope: _, ...silent } = { ...wide, redirect_uris: [cb] }
  t.is((await put(silent)).status, 200, 'what is left it may say')
  t.like(await metadata(), { scope: 'openid profile', redirect_uris: [cb] })
  await staffChange({ postLogoutRedirectUris: [] })
  t.is((await put(silent)).status, 400)
  const { post_logout_redirect_uris: __, ...rest } = silent
  t.is((await put(rest)).status, 200)

  await staffChange({ redirectUris: [cb, other], scopes: ['openid', 'profile', 'email'] })
  t.is((await put({ ...rest, redirect_uris: [other], scope: 'openid email' })).status, 200)
  t.is((await put({ ...rest, redirect_uris: [cb, other], scope: wide.scope })).status, 200)
  t.like(await metadata(), { redirect_uris: [cb, other], scope: 'openid profile email' })
})
