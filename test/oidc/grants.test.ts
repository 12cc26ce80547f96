import { generateKeyPairSync, randomUUID } from 'node:crypto'
import test from 'ava'
import { decodeJwt, exportJWK, SignJWT } from 'jose'
import { openBrowser } from '../helpers/browser.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { signIn } from '../helpers/sign-in.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const learning = 'https://api.cloud.edu.tw/learning'

/** A POST as the client, with its secret. */
async function asClient(
  world: World,
  rp: RelyingParty,
  path: string,
  body: Record<string, string>,
) {
  const response = await fetch(`${world.issuer}${path}`, {
    method: 'POST',
    body: new URLSearchParams(body),
    headers: { authorization: `Basic ${btoa(`${rp.clientId}:${rp.clientSecret}`)}` },
  })
  const text = await response.text()
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : {} }
}

test('a machine gets an opaque token, or a JWT for an API', async (t) => {
  const world = await buildWorld(t)
  const machine = await world.buildApp({ type: 'machine' })
  const opaque = await machine.token({ grant_type: 'client_credentials' })
  t.is(opaque.status, 200, JSON.stringify(opaque.body))
  t.false(opaque.body.access_token.includes('.'))

  const jwt = await machine.token({
    grant_type: 'client_credentials',
    resource: learning,
    scope: 'learning:read',
  })
  const { payload, header } = await machine
    .verify(jwt.body.access_token)
    .catch(() => ({ payload: decodeJwt(jwt.body.access_token), header: {} }))
  t.like(payload, { aud: learning, scope: 'learning:read', client_id: machine.clientId })
  t.deepEqual(header, {}, 'its audience is the API, not the client')

  const unknown = await machine.token({
    grant_type: 'client_credentials',
    resource: 'https://elsewhere.example/',
  })
  t.is(unknown.body.error, 'invalid_target')
})

test('grants nobody should use are neither offered nor taken', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  for (const grant_type of [
    'password',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'implicit',
  ]) {
    t.is((await rp.token({ grant_type })).body.error, 'unsupported_grant_type', grant_type)
  }
})

test('a client introspects its own tokens; another sees nothing; the API’s own client sees those made for it', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const stranger = await world.buildApp()
  const api = await world.buildApp({ type: 'machine', resourceServer: learning })
  const { back } = await signIn(world, rp)
  const { body } = await rp.redeem(back.url)
  const token = body.access_token
  t.like((await asClient(world, rp, '/token/introspection', { token })).body, { active: true })
  t.deepEqual((await asClient(world, stranger, '/token/introspection', { token })).body, {
    active: false,
  })
  t.deepEqual((await asClient(world, api, '/token/introspection', { token })).body, {
    active: false,
  })
  const cut = token.slice(0, -1)
  t.deepEqual((await asClient(world, rp, '/token/introspection', { token: cut })).body, {
    active: false,
  })
})

test('a client revokes its own token and no other’s', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const stranger = await world.buildApp()
  const { back } = await signIn(world, rp)
  const { body } = await rp.redeem(back.url)
  const token = body.access_token
  await asClient(world, stranger, '/token/revocation', { token })
  t.is((await rp.get('/me', token)).status, 200)
  t.is((await asClient(world, rp, '/token/revocation', { token })).status, 200)
  t.is((await rp.get('/me', token)).status, 401)
  const refreshed = await rp.token({
    grant_type: 'refresh_token',
    refresh_token: body.refresh_token ?? '',
  })
  t.is(refreshed.body.error, 'invalid_grant', 'RFC 7009 §2.1: the refresh token goes with it')
})

test('an app asks for an API at sign-in and gets a JWT for it', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { back, person } = await signIn(world, rp, {
    resource: learning,
    scope: 'openid profile learning:read',
  })
  t.true(arrivedAt(rp, back), back.html)
  const { body } = await rp.redeem(back.url)
  t.like(decodeJwt(body.access_token), { aud: learning, scope: 'learning:read', sub: person.sub })
  t.is((await rp.verify(body.id_token)).payload.name, person.name, 'no userinfo for this token')
})

test('the claims parameter asks for single claims', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const claims = { id_token: { email: null }, userinfo: { name: { essential: true } } }
  const { back, person } = await signIn(world, rp, {
    scope: 'openid',
    claims: JSON.stringify(claims),
  })
  const { body } = await rp.redeem(back.url)
  t.is((await rp.verify(body.id_token)).payload.email, person.account)
  const info = (await rp.get('/me', body.access_token)).body
  t.deepEqual(info, { sub: person.sub, name: person.name })
})

test('pairwise apps know one person by different subjects, and none is her own', async (t) => {
  const world = await buildWorld(t)
  const a = await world.buildApp({ pairwise: true })
  const b = await world.buildApp({ pairwise: true, redirectUris: ['https://b.example/callback'] })
  const { browser, person, back } = await signIn(world, a)
  const first = (await a.redeem(back.url)).body
  const second = (await b.redeem((await b.begin(browser)).url)).body
  const subs = [
    (await a.verify(first.id_token)).payload.sub,
    (await a.get('/me', first.access_token)).body.sub,
    (await b.verify(second.id_token)).payload.sub,
  ]
  t.is(subs[0], subs[1])
  t.not(subs[0], subs[2])
  t.false(subs.includes(person.sub))
})

test('a pushed authorization request is good once, for its own client', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const other = await world.buildApp()
  const person = await world.buildPerson()
  const parameters = Object.fromEntries(new URL(rp.authorize()).searchParams)
  const pushed = await asClient(world, rp, '/request', parameters)
  t.is(pushed.status, 201)
  const { request_uri } = pushed.body
  const address = (client: RelyingParty) =>
    `${world.issuer}/auth?${new URLSearchParams({ client_id: client.clientId, request_uri })}`
  const browser = openBrowser()
  const foreign = await browser.open(address(other))
  t.is(foreign.status, 400)
  const page = await browser.open(address(rp))
  const { account, password } = person
  const back = await browser.submit(page, 'local-form', { account, password })
  t.true(arrivedAt(rp, back))
  t.is((await rp.redeem(back.url)).status, 200)
  const again = await browser.open(address(rp))
  t.is(again.status, 400)
})

test('DPoP binds a token to a key: it is no bearer token, and a proof is good once', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { back } = await signIn(world, rp)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = await exportJWK(publicKey)
  const proof = (htm: string, path: string, jti = randomUUID()) =>
    new SignJWT({ htm, htu: `${world.issuer}${path}`, jti })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .sign(privateKey)
  const basic = { authorization: `Basic ${btoa(`${rp.clientId}:${rp.clientSecret}`)}` }
  const code = back.url.searchParams.get('code') ?? ''
  const once = await proof('POST', '/token')
  const verifierReply = await rp.token(
    {
      grant_type: 'authorization_code',
      code,
      redirect_uri: rp.redirectUri,
      code_verifier: rp.verifier,
    },
    { ...basic, dpop: once },
  )
  t.is(verifierReply.status, 200, JSON.stringify(verifierReply.body))
  t.is(verifierReply.body.token_type, 'DPoP')
  const token = verifierReply.body.access_token
  t.is((await rp.get('/me', token)).status, 401)
  t.is((await rp.get('/eduinfo/v1', token)).status, 401)
  const replayed = await rp.token(
    { grant_type: 'refresh_token', refresh_token: verifierReply.body.refresh_token ?? '' },
    { ...basic, dpop: once },
  )
  t.is(replayed.status, 400)
})

test('a device shows a code, the person confirms it elsewhere, the device gets its tokens', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({
    type: 'native',
    device: true,
    redirectUris: ['http://127.0.0.1/cb'],
    firstParty: false,
  })
  const person = await world.buildPerson()
  const started = await fetch(`${world.issuer}/device/auth`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: rp.clientId, scope: 'openid profile' }),
  })
  const device = (await started.json()) as Record<string, string>
  t.regex(device.user_code ?? '', /^[A-Z]{4}-[A-Z]{4}$/)
  const poll = () =>
    rp.token({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: device.device_code ?? '',
    })
  t.is((await poll()).body.error, 'authorization_pending')

  const browser = openBrowser()
  const input = await browser.open(device.verification_uri ?? '')
  const wrong = await browser.submit(input, 'device-form', { user_code: 'BBBB-BBBB' })
  t.is(wrong.status, 400)
  const confirm = await browser.submit(wrong, 'device-form', { user_code: device.user_code ?? '' })
  t.true(confirm.html.includes('課程平台'))
  const login = await browser.submit(confirm, 'device-confirm-form')
  const { account, password } = person
  const consent = await browser.submit(login, 'local-form', { account, password })
  const done = await browser.submit(consent, 'consent-form', { decision: 'allow' })
  t.is(done.status, 200, done.html)
  const { status, body } = await poll()
  t.is(status, 200, JSON.stringify(body))
  t.is((await rp.verify(body.id_token)).payload.sub, person.sub)
  t.is((await poll()).body.error, 'invalid_grant', 'once')
})

test('an unknown, removed or wrongly authenticated client gets nothing', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { back, browser } = await signIn(world, rp)
  const { body } = await rp.redeem(back.url)
  const wrong = await rp.token(
    { grant_type: 'client_credentials' },
    { authorization: `Basic ${btoa(`${rp.clientId}:wrong`)}` },
  )
  t.is(wrong.status, 401)
  const { removeClient } = await import('#admin/clients.ts')
  t.true(await removeClient({ ...world.house, actor: 'operator:test' }, rp.clientId))
  t.is((await rp.get('/me', body.access_token)).status, 401)
  const refreshed = await rp.token({
    grant_type: 'refresh_token',
    refresh_token: body.refresh_token ?? '',
  })
  t.is(refreshed.status, 401)
  const page = await rp.begin(browser)
  t.is(page.status, 400)
  t.false(arrivedAt(rp, page))
})

test('a rotated secret replaces the old one at once', async (t) => {
  const world = await buildWorld(t)
  const machine = await world.buildApp({ type: 'machine' })
  const { rotateSecret } = await import('#admin/clients.ts')
  const rotated = await rotateSecret({ ...world.house, actor: 'operator:test' }, machine.clientId)
  const token = (secret: unknown) =>
    machine.token(
      { grant_type: 'client_credentials' },
      { authorization: `Basic ${btoa(`${machine.clientId}:${secret}`)}` },
    )
  t.is((await token(machine.clientSecret)).status, 401)
  t.is((await token(rotated?.client_secret)).status, 200)
})
