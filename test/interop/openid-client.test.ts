/** openid-client 6, configured with issuer, id and secret. Over http it wants to be told that this is only a test. */
import test from 'ava'
import * as client from 'openid-client'
import { openBrowser, type Page } from '../helpers/browser.ts'
import type { RelyingParty } from '../helpers/relying-party.ts'
import { buildWorld, type World } from '../helpers/world.ts'
import { closeBrowser, fillIn, openPage } from './sites.ts'

test.after.always(closeBrowser)

const learning = 'https://api.cloud.edu.tw/learning'

const configure = (world: World, rp: RelyingParty): Promise<client.Configuration> =>
  client.discovery(new URL(world.issuer), rp.clientId, rp.clientSecret, undefined, {
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
  })

/** What an app makes up for each request and keeps until the answer. */
async function prepare(rp: RelyingParty, scope = 'openid profile email') {
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    idTokenExpected: true,
  }
  const parameters = {
    redirect_uri: rp.redirectUri,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  }
  return { checks, parameters }
}

/** The fields of a page's one form: what its script sends by itself. */
function fieldsOf({ document }: Page): URLSearchParams {
  const inputs = document.querySelectorAll('form input')
  return new URLSearchParams(
    inputs.map(({ attributes: { name = '', value = '' } }): [string, string] => [name, value]),
  )
}

async function signIn(world: World, address: URL) {
  const person = await world.buildPerson()
  const browser = openBrowser()
  const { account, password } = person
  const page = await browser.open(address.href)
  const next = await browser.submit(page, 'local-form', { account, password })
  const asks = next.document.querySelector('#consent-form')
  const back = asks ? await browser.submit(next, 'consent-form', { decision: 'allow' }) : next
  return { person, browser, back }
}

test('openid-client signs in with nothing but issuer, id and secret', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const config = await configure(world, rp)
  const { checks, parameters } = await prepare(rp)
  const { person, back } = await signIn(world, client.buildAuthorizationUrl(config, parameters))
  const tokens = await client.authorizationCodeGrant(config, back.url, checks)
  t.like(tokens.claims(), { sub: person.sub, iss: world.issuer, aud: rp.clientId, amr: ['pwd'] })
  const info = await client.fetchUserInfo(config, tokens.access_token, person.sub)
  t.like(info, { name: person.name, email: person.account, email_verified: true })
})

for (const idTokenAlg of ['RS256', 'ES256'] as const)
  test(`openid-client checks the signature of an ${idTokenAlg} ID token and the age of the sign-in`, async (t) => {
    const world = await buildWorld(t)
    const rp = await world.buildApp({ idTokenAlg })
    // Registered with ES256, an app tells its library so: the default is RS256 (OpenID Connect Registration §2).
    const config = await client.discovery(
      new URL(world.issuer),
      rp.clientId,
      { id_token_signed_response_alg: idTokenAlg },
      client.ClientSecretBasic(rp.clientSecret),
      { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
    )
    const { checks, parameters } = await prepare(rp)
    const { person, back } = await signIn(
      world,
      client.buildAuthorizationUrl(config, { ...parameters, max_age: '600' }),
    )
    const tokens = await client.authorizationCodeGrant(config, back.url, { ...checks, maxAge: 600 })
    t.is(tokens.claims()?.sub, person.sub)
  })

test('openid-client refreshes, introspects and revokes', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const config = await configure(world, rp)
  const { checks, parameters } = await prepare(rp, 'openid profile offline_access')
  const { person, back } = await signIn(
    world,
    client.buildAuthorizationUrl(config, { ...parameters, prompt: 'consent' }),
  )
  const first = await client.authorizationCodeGrant(config, back.url, checks)
  const second = await client.refreshTokenGrant(config, first.refresh_token ?? '')
  t.is(second.claims()?.sub, person.sub)
  t.not(second.refresh_token, first.refresh_token)
  t.like(await client.tokenIntrospection(config, second.access_token), {
    active: true,
    sub: person.sub,
    client_id: rp.clientId,
  })
  await client.tokenRevocation(config, second.access_token)
  t.deepEqual(await client.tokenIntrospection(config, second.access_token), { active: false })
  await t.throwsAsync(client.refreshTokenGrant(config, second.refresh_token ?? ''), {
    instanceOf: client.ResponseBodyError,
    message: /invalid_grant|server responded/,
  })
})

test('openid-client pushes its request and proves its key with DPoP', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ dpop: true })
  const config = await configure(world, rp)
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
  const { checks, parameters } = await prepare(rp)
  const address = await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
  t.deepEqual([...address.searchParams.keys()].sort(), ['client_id', 'request_uri'])
  const { person, back } = await signIn(world, address)
  const tokens = await client.authorizationCodeGrant(config, back.url, checks, undefined, { DPoP })
  t.is(tokens.token_type, 'dpop')
  const info = await client.fetchUserInfo(config, tokens.access_token, person.sub, { DPoP })
  t.is(info.name, person.name)
  const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, {
    DPoP,
  })
  t.is(next.token_type, 'dpop')
  await t.throwsAsync(client.fetchUserInfo(config, next.access_token, person.sub))
})

test('openid-client reads an answer that came by form_post', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const config = await configure(world, rp)
  const { checks, parameters } = await prepare(rp)
  const { back } = await signIn(
    world,
    client.buildAuthorizationUrl(config, { ...parameters, response_mode: 'form_post' }),
  )
  t.is(back.document.querySelector('form')?.getAttribute('action'), rp.redirectUri)
  const posted = new Request(rp.redirectUri, { method: 'POST', body: fieldsOf(back) })
  const tokens = await client.authorizationCodeGrant(config, posted, checks)
  t.truthy(tokens.claims()?.sub)
})

test('openid-client says which error the app got when nobody is signed in', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const config = await configure(world, rp)
  const { checks, parameters } = await prepare(rp)
  const address = client.buildAuthorizationUrl(config, { ...parameters, prompt: 'none' })
  const back = await openBrowser().open(address.href)
  const refused = await t.throwsAsync(client.authorizationCodeGrant(config, back.url, checks), {
    instanceOf: client.AuthorizationResponseError,
  })
  t.is(refused?.error, 'login_required')
})

test('openid-client signs a person out with the address it builds itself', async (t) => {
  const world = await buildWorld(t)
  const bye = 'https://app.example/bye'
  const rp = await world.buildApp({
    postLogoutRedirectUris: [bye],
  })
  const config = await configure(world, rp)
  const { checks, parameters } = await prepare(rp)
  const { browser, back } = await signIn(world, client.buildAuthorizationUrl(config, parameters))
  const tokens = await client.authorizationCodeGrant(config, back.url, checks)
  const address = client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: bye,
    id_token_hint: tokens.id_token ?? '',
    state: 's1',
  })
  const asked = await browser.open(address.href)
  const left = await browser.submit(asked, 'sign-out-form', { logout: 'yes' })
  t.is(left.url.href, `${bye}?state=s1`)
})

test('openid-client polls while a person lets her device in from the address on its QR code', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ type: 'native', device: true, redirectUris: [] })
  const config = await client.discovery(
    new URL(world.issuer),
    rp.clientId,
    undefined,
    client.None(),
    { execute: [client.allowInsecureRequests] },
  )
  const device = await client.initiateDeviceAuthorization(config, { scope: 'openid profile' })
  const person = await world.buildPerson()
  const page = await openPage(t)
  // A page of the provider's own sends the code on by script: only a real browser shows that our policy lets it.
  await page.goto(device.verification_uri_complete ?? '')
  await page.click('#device-continue')
  await fillIn(page, person)
  // Of an installed app nobody knows whose it is: it asks even if it is one of our own (RFC 8252 §8.6).
  await page.click('#consent-allow')
  await page.waitForSelector('#device-done')
  const tokens = await client.pollDeviceAuthorizationGrant(config, { ...device, interval: 0.05 })
  t.is(tokens.claims()?.sub, person.sub)
  const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '')
  t.is(next.claims()?.sub, person.sub)
})

test('openid-client gets a machine its token for an API', async (t) => {
  const world = await buildWorld(t)
  const machine = await world.buildApp({ type: 'machine' })
  const config = await configure(world, machine)
  const tokens = await client.clientCredentialsGrant(config, {
    resource: learning,
    scope: 'learning:read',
  })
  t.is(tokens.token_type, 'bearer')
  t.is(tokens.scope, 'learning:read')
  t.is(tokens.access_token.split('.').length, 3)
})

test('openid-client brings a teacher in through her county', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const rp = await world.buildApp()
  const config = await configure(world, rp)
  const { checks, parameters } = await prepare(rp, 'openid profile eduinfo')
  const browser = openBrowser()
  const address = client.buildAuthorizationUrl(config, { ...parameters, upstream: 'ntpc' })
  const county = await browser.open(address.href)
  const fields = { account: 'ntpctest', password: 'ntpctest' }
  const back = await browser.submit(county, 'county-login', fields)
  const tokens = await client.authorizationCodeGrant(config, back.url, checks)
  const claims = tokens.claims()
  t.is(claims?.acr, 'urn:citygate:acr:upstream')
  const info = await client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '')
  t.like(info, { name: '林雅雯', eduinfo: { schoolid: '014598' } })
})
