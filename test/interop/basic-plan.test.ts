/** What the OpenID Foundation's Basic OP plan checks, in plain HTTP. Titles end with the plan's module. */
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { NewClient } from '#admin/clients.ts'
import { openBrowser, type Page } from '../helpers/browser.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { buildWorld } from '../helpers/world.ts'

type More = Record<string, string | null>

/** A client as the plan registers it, without PKCE, and a browser that knows the password. */
async function openPlan(t: ExecutionContext, client: Partial<NewClient> = {}) {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ pkce: false, ...client })
  const person = await world.buildPerson()
  const browser = openBrowser()
  const begin = (more: More = {}) =>
    rp.begin(browser, { code_challenge: null, code_challenge_method: null, ...more })
  const { account, password } = person
  const submit = (page: Page) => browser.submit(page, 'local-form', { account, password })
  return {
    world,
    rp,
    person,
    browser,
    begin,
    submit,
    /** To our form and back. */
    signIn: async (more: More = {}) => submit(await begin(more)),
  }
}

const asksAgain = (page: Page) => page.document.querySelector('#local-form') !== null
const error = (page: Page) => page.url.searchParams.get('error')

async function redeem(rp: RelyingParty, back: Page) {
  const { status, body } = await rp.redeem(back.url, { code_verifier: '' })
  if (status !== 200) throw new Error(JSON.stringify(body))
  return { tokens: body, claims: (await rp.verify(body.id_token)).payload }
}

test('a code without PKCE becomes an ID token with the nonce it was asked for (oidcc-server)', async (t) => {
  const { rp, person, signIn } = await openPlan(t)
  const { claims, tokens } = await redeem(rp, await signIn())
  t.like(claims, { sub: person.sub, aud: rp.clientId, nonce: 'nonce-1' })
  t.true(Number(claims.exp) > Number(claims.iat))
  t.is(tokens.token_type, 'Bearer')
})

test('without nonce and state the answer has neither (oidcc-ensure-request-without-nonce-succeeds-for-code-flow)', async (t) => {
  const { rp, signIn } = await openPlan(t)
  const back = await signIn({ nonce: null, state: null })
  t.false(back.url.searchParams.has('state'))
  const { claims } = await redeem(rp, back)
  t.false('nonce' in claims)
})

test('a response_type that nobody knows and none at all are refused (oidcc-response-type-missing)', async (t) => {
  const { begin } = await openPlan(t)
  t.is(error(await begin({ response_type: null })), 'invalid_request')
  // A response_type with `token` is answered in the fragment.
  const implicit = new URLSearchParams((await begin({ response_type: 'token' })).url.hash.slice(1))
  t.is(implicit.get('error'), 'unsupported_response_type')
})

test('scopes give their claims; those we do not have are left out (oidcc-scope-address, -phone, -all)', async (t) => {
  const { rp, person, signIn } = await openPlan(t)
  const back = await signIn({ scope: 'openid profile email address phone something-new' })
  t.true(arrivedAt(rp, back), back.html)
  const { tokens } = await redeem(rp, back)
  t.is(tokens.scope, 'openid profile email phone')
  const { body } = await rp.get('/me', tokens.access_token)
  t.like(body, { sub: person.sub, name: person.name, email: person.account })
  t.false('address' in body)
})

test('userinfo answers GET, POST with a header and POST with a body (oidcc-userinfo-get, -post-header, -post-body)', async (t) => {
  const { world, rp, person, signIn } = await openPlan(t)
  const { access_token } = (await redeem(rp, await signIn())).tokens
  const authorization = `Bearer ${access_token}`
  for (const init of [
    { headers: { authorization } },
    { method: 'POST', headers: { authorization } },
    { method: 'POST', body: new URLSearchParams({ access_token }) },
  ]) {
    const answer = await fetch(`${world.issuer}/me`, init)
    t.is(answer.status, 200)
    t.regex(answer.headers.get('content-type') ?? '', /^application\/json/)
    t.is(((await answer.json()) as { sub: string }).sub, person.sub)
  }
  const inAddress = await fetch(`${world.issuer}/me?access_token=${access_token}`)
  t.is(inAddress.status, 400, 'never in an address (RFC 9700 §4.3.2)')
})

test('a claim asked for as essential comes with userinfo (oidcc-claims-essential)', async (t) => {
  const { rp, person, signIn } = await openPlan(t)
  const claims = JSON.stringify({ userinfo: { name: { essential: true } } })
  const { tokens } = await redeem(rp, await signIn({ scope: 'openid', claims }))
  const { body } = await rp.get('/me', tokens.access_token)
  t.deepEqual(body, { sub: person.sub, name: person.name })
})

test('prompt=none: login_required first, the same person and sign-in later (oidcc-prompt-none-*)', async (t) => {
  const { rp, begin, signIn } = await openPlan(t)
  t.is(error(await begin({ prompt: 'none' })), 'login_required')
  const first = await redeem(rp, await signIn())
  const again = await begin({ prompt: 'none' })
  t.true(arrivedAt(rp, again))
  const second = await redeem(rp, again)
  t.is(second.claims.sub, first.claims.sub)
  t.is(second.claims.auth_time, first.claims.auth_time)
})

test('prompt=login asks again and auth_time moves on; max_age=1 too, max_age=10000 does not (oidcc-prompt-login, oidcc-max-age-*)', async (t) => {
  const { rp, begin, signIn, submit } = await openPlan(t)
  const first = await redeem(rp, await signIn({ max_age: '15000' }))
  t.truthy(first.claims.auth_time)
  await wait(1_100)

  const known = await begin({ max_age: '10000' })
  t.true(arrivedAt(rp, known))
  t.is((await redeem(rp, known)).claims.auth_time, first.claims.auth_time)

  const login = await begin({ prompt: 'login' })
  t.true(asksAgain(login))
  const second = await redeem(rp, await submit(login))
  t.true(Number(second.claims.auth_time) > Number(first.claims.auth_time))
  await wait(2_100)

  const old = await begin({ max_age: '1' })
  t.true(asksAgain(old))
  const third = await redeem(rp, await submit(old))
  t.true(Number(third.claims.auth_time) > Number(second.claims.auth_time))
})

test('an id_token_hint of the person who is signed in goes through without a page (oidcc-id-token-hint)', async (t) => {
  const { world, rp, begin, signIn } = await openPlan(t)
  const { tokens, claims } = await redeem(rp, await signIn())
  const same = await begin({ prompt: 'none', id_token_hint: tokens.id_token })
  t.true(arrivedAt(rp, same))
  t.is((await redeem(rp, same)).claims.sub, claims.sub)

  const other = await world.buildPerson({ account: 'lin@mail.edu.tw', name: '林老師' })
  const elsewhere = openBrowser()
  const { account, password } = other
  const back = await elsewhere.submit(await rp.begin(elsewhere), 'local-form', {
    account,
    password,
  })
  const { body } = await rp.redeem(back.url)
  t.is(error(await begin({ prompt: 'none', id_token_hint: body.id_token })), 'login_required')
})

test('login_hint fills the name in, ui_locales and display change no answer (oidcc-login-hint, -ui-locales, -claims-locales, -display-popup)', async (t) => {
  const { rp, begin, submit } = await openPlan(t)
  const page = await begin({
    login_hint: 'lin@mail.edu.tw',
    ui_locales: 'se en',
    claims_locales: 'se',
    display: 'popup',
  })
  t.is(page.document.querySelector('#account')?.getAttribute('value'), 'lin@mail.edu.tw')
  t.is(page.document.querySelector('html')?.getAttribute('lang'), 'en')
  t.true(arrivedAt(rp, await submit(page)))
})

test('acr_values asked for come back as acr; unknown ones do no harm (oidcc-ensure-request-with-acr-values-succeeds)', async (t) => {
  const { rp, begin, signIn } = await openPlan(t)
  const known = await signIn({ acr_values: 'urn:citygate:acr:upstream urn:citygate:acr:password' })
  t.is((await redeem(rp, known)).claims.acr, 'urn:citygate:acr:password')
  const unknown = await begin({ acr_values: '1 2' })
  t.true(arrivedAt(rp, unknown))
})

test('parameters that nobody knows are ignored (oidcc-ensure-request-with-unknown-parameter-succeeds)', async (t) => {
  const { rp, signIn } = await openPlan(t)
  t.true(arrivedAt(rp, await signIn({ extra: 'foobar' })))
})

test('request objects are not taken, and discovery says so (oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported)', async (t) => {
  const { world, rp, begin } = await openPlan(t)
  const discovery = await fetch(`${world.issuer}/.well-known/openid-configuration`)
  const metadata = (await discovery.json()) as Record<string, unknown>
  // Core says: without the entry, `request` is not supported.
  t.not(metadata.request_parameter_supported, true)
  t.is(metadata.request_uri_parameter_supported, false)
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const request = `${encode({ alg: 'none' })}.${encode({ client_id: rp.clientId, scope: 'openid' })}.`
  t.is(error(await begin({ request })), 'request_not_supported')
  const request_uri = 'https://app.example/request.jwt'
  t.is(error(await begin({ request_uri })), 'request_uri_not_supported')
})

test('a registered redirect_uri may have a query, which comes back (oidcc-ensure-registered-redirect-uri)', async (t) => {
  const { rp, begin, signIn } = await openPlan(t, {
    redirectUris: ['https://app.example/callback?foo=bar', 'https://app.example/other'],
  })
  const back = await signIn()
  t.is(back.url.searchParams.get('foo'), 'bar')
  t.truthy((await redeem(rp, back)).claims.sub)
  for (const redirect_uri of [
    'https://app.example/callback',
    'https://app.example/callback?foo=bar&bar=foo',
    'https://app.example/other?foo=bar',
  ]) {
    const refused = await begin({ redirect_uri })
    t.is(refused.status, 400, redirect_uri)
    t.not(refused.url.hostname, 'app.example')
  }
})

test('without redirect_uri an app that registered several ends on our page', async (t) => {
  const redirectUris = ['https://app.example/callback', 'https://app.example/other']
  const { rp, begin } = await openPlan(t, { redirectUris })
  const refused = await begin({ redirect_uri: null })
  t.is(refused.status, 400)
  t.false(arrivedAt(rp, refused))
})

test('a code is refused half a minute after it was used, and what it gave ends (oidcc-codereuse-30seconds)', async (t) => {
  const { world, rp, signIn } = await openPlan(t)
  const back = await signIn()
  const { tokens } = await redeem(rp, back)
  const { openDatabase } = await import('#store/database.ts')
  const knex = openDatabase(world.house.config.database)
  // node-oidc-provider reads the real clock: the row is made older instead.
  const rows = await knex('oidc_payload').where({ model: 'AuthorizationCode' })
  t.is(rows.length, 1)
  for (const row of rows) {
    const { iat, exp, ...rest } = JSON.parse(row.payload)
    const payload = JSON.stringify({ ...rest, iat: iat - 30, exp: exp - 30 })
    await knex('oidc_payload').where({ id: row.id }).update({ payload })
  }
  await knex.destroy()
  const again = await rp.redeem(back.url, { code_verifier: '' })
  t.is(again.status, 400)
  t.is(again.body.error, 'invalid_grant')
  t.is((await rp.get('/me', tokens.access_token)).status, 401)
})

test('a refresh token is for its client only, and its ID token keeps sub, iss, aud and auth_time (oidcc-refresh-token)', async (t) => {
  const { world, rp, signIn } = await openPlan(t)
  const { tokens, claims } = await redeem(rp, await signIn())
  const grant = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' }
  const other = await world.buildApp({ pkce: false })
  t.is((await other.token(grant)).body.error, 'invalid_grant')
  const { status, body } = await rp.token(grant)
  t.is(status, 200, JSON.stringify(body))
  const { payload } = await rp.verify(body.id_token)
  const { sub, iss, aud, auth_time } = claims
  t.like(payload, { sub, iss, aud, auth_time })
})

test('offline_access with prompt=consent asks for consent and gives a refresh token', async (t) => {
  const { rp, browser, signIn } = await openPlan(t, { firstParty: false })
  const consent = await signIn({ scope: 'openid offline_access', prompt: 'consent' })
  t.truthy(consent.document.querySelector('#offline-notice'), consent.html)
  const back = await browser.submit(consent, 'consent-form', { decision: 'allow' })
  const { tokens } = await redeem(rp, back)
  t.truthy(tokens.refresh_token)
  t.is(tokens.scope, 'openid offline_access')
})

test('the secret is taken in the header and in the body, whichever the app sends (oidcc-server-client-secret-post)', async (t) => {
  const { rp, begin, signIn } = await openPlan(t)
  const code = (page: Page) => page.url.searchParams.get('code') ?? ''
  const grant = { grant_type: 'authorization_code', redirect_uri: rp.redirectUri }
  const secret = { client_id: rp.clientId, client_secret: rp.clientSecret ?? '' }
  const posted = await rp.token({ ...grant, ...secret, code: code(await signIn()) }, {})
  t.is(posted.status, 200, JSON.stringify(posted.body))
  const inHeader = await rp.token({ ...grant, code: code(await begin()) })
  t.is(inHeader.status, 200)
})

test('an authorization request may be posted (oidcc-ensure-post-request-succeeds)', async (t) => {
  const { rp, world, browser, submit } = await openPlan(t)
  const { searchParams } = new URL(rp.authorize())
  // From the app's page, on another site: the browser sends no cookies of ours along.
  const page = await browser.open(`${world.issuer}/auth`, {
    method: 'POST',
    body: searchParams,
    headers: { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' },
  })
  const back = await submit(page)
  t.true(arrivedAt(rp, back), back.html)
})

test('a sign-out may be posted (RP-Initiated Logout §2)', async (t) => {
  const { rp, world, browser, signIn } = await openPlan(t)
  const { tokens } = await redeem(rp, await signIn())
  const asked = await browser.open(`${world.issuer}/session/end`, {
    method: 'POST',
    body: new URLSearchParams({ id_token_hint: tokens.id_token }),
    headers: { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' },
  })
  t.truthy(asked.document.querySelector('#sign-out-form'), asked.html)
})
