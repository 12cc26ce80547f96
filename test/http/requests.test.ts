/** Cases of the security list, 3.A and 3.E: what an attacker or a bad proxy sends, and what we answer. */
import { request as rawRequest } from 'node:http'
import test from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { buildWorld } from '../helpers/world.ts'

test('a redirect_uri that is not registered letter by letter ends on our page, never at its target', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const wrong = [
    'https://app.example.evil.test/callback',
    'https://app.example/callback.evil',
    'https://app.example/callbackX',
    'https://app.example/callback/../x',
    'https://app.example/callback/..%2fx',
    'https://app.example/callback/..;/',
    'https://app.example/callback//',
    'https://app.example/Callback',
    'https://app.example/callback/',
    'https://app.example/callback?x=1',
    'https://app.example/callback#x',
    'https://app.example:444/callback',
    'https://app.example@evil.test/callback',
    'http://app.example/callback',
    'https://app.example\\@evil.test/callback',
    'javascript:alert(1)',
  ]
  for (const redirect_uri of wrong) {
    const page = await rp.begin(openBrowser(), { redirect_uri })
    t.is(page.status, 400, redirect_uri)
    t.is(page.url.origin, world.issuer, redirect_uri)
    t.true(page.html.includes('problem'), redirect_uri)
  }
})

test('loopback redirects take any port for installed apps only', async (t) => {
  const world = await buildWorld(t)
  const native = await world.buildApp({ type: 'native', redirectUris: ['http://127.0.0.1/cb'] })
  const web = await world.buildApp({ redirectUris: ['http://127.0.0.1/cb'] })
  const redirect_uri = 'http://127.0.0.1:49152/cb'
  const page = await native.begin(openBrowser(), { redirect_uri })
  t.is(page.url.pathname.split('/')[1], 'interaction')
  t.is(
    (await native.begin(openBrowser(), { redirect_uri: 'http://127.0.0.1:49152/cb2' })).status,
    400,
  )
  t.is(
    (await native.begin(openBrowser(), { redirect_uri: 'http://localhost.evil.test/cb' })).status,
    400,
  )
  t.is((await web.begin(openBrowser(), { redirect_uri })).status, 400)
})

test('registration refuses targets that mean more than they say', async (t) => {
  const world = await buildWorld(t)
  const wrong = [
    'javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'http://app.example/cb',
    'https://app.example/cb#fragment',
    'https://*.app.example/cb',
    'https://user:pass@app.example/cb',
    '/relative',
    'tw.gov.app:/cb',
  ]
  for (const uri of wrong) {
    await t.throwsAsync(world.buildApp({ redirectUris: [uri] }), { message: /redirectUris/ }, uri)
  }
  for (const uri of ['javascript:alert(1)', 'app:/cb', 'data:x']) {
    await t.throwsAsync(world.buildApp({ type: 'native', redirectUris: [uri] }), undefined, uri)
  }
  await t.notThrowsAsync(world.buildApp({ type: 'native', redirectUris: ['tw.gov.app:/cb'] }))
})

test('a parameter given twice is refused', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  for (const name of ['redirect_uri', 'client_id', 'scope', 'state']) {
    const page = await openBrowser().open(`${rp.authorize()}&${name}=other`)
    const refused = page.status === 400 || page.url.searchParams.get('error') === 'invalid_request'
    t.true(refused, name)
    t.false(page.html.includes('local-form'), name)
  }
})

test('an app nobody knows gets a page of ours, in both languages', async (t) => {
  const world = await buildWorld(t)
  const address = `${world.issuer}/auth?client_id=nobody&redirect_uri=https://evil.test&response_type=code&scope=openid`
  for (const [language, text] of [
    ['zh-TW', 'lang="zh-TW"'],
    ['en', 'lang="en"'],
  ] as const) {
    const page = await openBrowser({ 'accept-language': language }).open(address)
    t.is(page.status, 400)
    t.true(page.html.includes(text))
    t.regex(page.html, /[2-9A-HJ-NP-Z]{10}/)
  }
})

test('state comes back unchanged, whatever is in it', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  for (const state of [
    '"><script>alert(1)</script>',
    '狀態 ✓',
    'a'.repeat(2000),
    'x\r\nSet-Cookie: a=b',
  ]) {
    const page = await rp.begin(openBrowser(), { state, prompt: 'none' })
    t.is(page.url.searchParams.get('state'), state)
    t.is(page.url.searchParams.get('error'), 'login_required')
    t.is(page.url.searchParams.get('iss'), world.issuer)
  }
})

test('form_post escapes what it carries, and only the app may be its target', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const state = '"><script>alert(1)</script></textarea>'
  const page = await rp.begin(openBrowser(), { state, prompt: 'none', response_mode: 'form_post' })
  t.false(page.html.includes('<script>alert'))
  const policy = page.headers.get('content-security-policy') ?? ''
  t.regex(policy, /form-action 'self' https:\/\/app\.example(;|$)/)
  t.regex(policy, /script-src 'self' 'sha256-[^']+'(;|$)/)
  t.true(page.html.includes('lang="zh-TW"'))
})

test('junk in optional parameters is refused or ignored, never a fault of ours', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const deep = '['.repeat(5000) + ']'.repeat(5000)
  const junk: Record<string, string>[] = [
    { claims: '{"userinfo":' },
    { claims: JSON.stringify({ userinfo: { x: 'y'.repeat(6000) } }) },
    { claims: `{"id_token":{"acr":{"values":${deep}}}}` },
    { acr_values: '\u0000'.repeat(10) },
    { ui_locales: 'xx-!!, "<' },
    { display: 'hologram' },
    { max_age: '-1' },
    { max_age: 'NaN' },
    { prompt: 'none login' },
    { response_mode: 'carrier-pigeon' },
    { upstream: '../../etc' },
    { login_hint: '"><img src=x>' },
    { id_token_hint: 'a.b.c' },
  ]
  for (const more of junk) {
    const page = await rp.begin(openBrowser(), more)
    t.true(page.status < 500, `${JSON.stringify(more).slice(0, 80)} gave ${page.status}`)
    t.false(page.html.includes('<img src=x>'))
  }
})

test('forms from another site, without our token or of another type are refused', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { account, password } = await world.buildPerson()
  const browser = openBrowser()
  const page = await rp.begin(browser)
  const token = page.document.querySelector('input[name=form_token]')?.getAttribute('value') ?? ''
  const send = (body: BodyInit, headers: Record<string, string> = {}) =>
    browser.open(`${page.url.href}/sign-in`, { method: 'POST', body, headers })
  const fields = (more: Record<string, string>) =>
    new URLSearchParams({ account, password, ...more })

  t.is((await send(fields({}))).status, 403)
  t.is((await send(fields({ form_token: 'x'.repeat(43) }))).status, 403)
  const crossSite = { 'sec-fetch-site': 'cross-site' }
  t.is((await send(fields({ form_token: token }), crossSite)).status, 403)
  const sameSite = { 'sec-fetch-site': 'same-site' }
  t.is((await send(fields({ form_token: token }), sameSite)).status, 403)
  const json = JSON.stringify({ account, password, form_token: token })
  t.is((await send(json, { 'content-type': 'application/json' })).status, 415)
  t.is((await send(json, { 'content-type': 'text/plain' })).status, 415)
  t.is((await send(fields({ form_token: token, pad: 'x'.repeat(70_000) }))).status, 413)
  const doubled = new URLSearchParams([...fields({ form_token: token }), ['account', 'other']])
  t.is((await send(doubled)).status, 400)
  t.true(arrivedAt(rp, await send(fields({ form_token: token }))), 'and the real one works')
})

test('after the password the browser is sent on with 303', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { account, password } = await world.buildPerson()
  const browser = openBrowser()
  const page = await rp.begin(browser)
  const form_token =
    page.document.querySelector('input[name=form_token]')?.getAttribute('value') ?? ''
  const sent = await browser.request(`${page.url.href}/sign-in`, {
    method: 'POST',
    body: new URLSearchParams({ account, password, form_token }),
  })
  t.is(sent.status, 303)
})

/** A request with headers a fetch would not send. */
function raw(
  url: string,
  path: string,
  headers: string[],
): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const sent = rawRequest({ hostname, port, path, setHost: false, headers }, (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (chunk) => {
        body += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('who we are never comes from a header', async (t) => {
  const world = await buildWorld(t)
  const ours = new URL(world.issuer).host
  const discovery = '/.well-known/openid-configuration'
  for (const host of ['evil.test', `evil.test@${ours}`, 'localhost', '127.0.0.1']) {
    const answer = await raw(world.issuer, discovery, ['Host', host])
    t.is(answer.status, 421, host)
    t.false(answer.body.includes('authorization_endpoint'))
  }
  t.is((await raw(world.issuer, `http://evil.test${discovery}`, ['Host', ours])).status, 421)
  const poisons = [
    ['X-Forwarded-Host', 'evil.test'],
    ['Forwarded', 'host=evil.test;proto=https'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Original-URL', '/evil'],
    ['X-Forwarded-Prefix', '/evil'],
  ]
  for (const poison of poisons) {
    const answer = await raw(world.issuer, discovery, ['Host', ours, ...poison])
    t.is(answer.status, 200)
    t.is(JSON.parse(answer.body).token_endpoint, `${world.issuer}/token`)
    t.false(answer.body.includes('evil'))
  }
})

test('every page carries the headers that keep it to itself', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const browser = openBrowser()
  const pages = [
    await browser.open(`${world.issuer}/`),
    await rp.begin(browser),
    await browser.open(`${world.issuer}/nowhere`),
    await browser.open(`${world.issuer}/session/end`),
    await browser.open(`${world.issuer}/device`),
  ]
  for (const { headers, url } of pages) {
    const policy = headers.get('content-security-policy') ?? ''
    t.regex(policy, /default-src 'none'/, url.pathname)
    t.regex(policy, /frame-ancestors 'none'/)
    t.false(policy.includes('unsafe'))
    t.is(headers.get('cache-control'), 'no-store', url.pathname)
    t.is(headers.get('x-content-type-options'), 'nosniff')
    t.is(headers.get('referrer-policy'), 'no-referrer')
    t.is(headers.get('x-powered-by'), null)
    t.is(headers.get('server'), null)
  }
})

test('the sign-in page may lead to this app and nowhere else', async (t) => {
  const world = await buildWorld(t)
  const a = await world.buildApp()
  const native = await world.buildApp({ type: 'native', redirectUris: ['tw.gov.app:/cb'] })
  const policy = async (rp: typeof a) =>
    (await rp.begin(openBrowser())).headers.get('content-security-policy') ?? ''
  t.regex(await policy(a), /form-action 'self' https:\/\/app\.example(;|$)/)
  t.regex(await policy(native), /form-action 'self' tw\.gov\.app:(;|$)/)
})

test('unknown paths and methods get a page or a status, never a fault', async (t) => {
  const world = await buildWorld(t)
  const browser = openBrowser()
  t.is((await browser.open(`${world.issuer}/wp-login.php`)).status, 404)
  t.is((await browser.open(`${world.issuer}/assets/../../package.json`)).status, 404)
  t.is((await browser.open(`${world.issuer}/assets/%2e%2e%2fpackage.json`)).status, 404)
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    for (const path of ['/', '/account', '/interaction/x', '/token']) {
      const { status } = await browser.open(`${world.issuer}${path}`, { method })
      t.true([404, 405, 501].includes(status), `${method} ${path} gave ${status}`)
    }
  }
  for (const path of ['/%', '/interaction/%zz', '/?%', `/${'a'.repeat(5000)}`]) {
    const { status } = await raw(world.issuer, path, ['Host', new URL(world.issuer).host])
    t.true(status < 500, `${path.slice(0, 20)} gave ${status}`)
  }
})

test('keys are published without private parts, discovery without endpoints that are off', async (t) => {
  const world = await buildWorld(t)
  const { keys } = (await (await fetch(`${world.issuer}/jwks`)).json()) as {
    keys: Record<string, string>[]
  }
  t.deepEqual(keys.map(({ alg }) => alg).sort(), ['ES256', 'RS256'])
  for (const key of keys) {
    t.truthy(key.kid)
    t.is(key.use, 'sig')
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) t.false(secret in key)
  }
  const discovery = (await (
    await fetch(`${world.issuer}/.well-known/openid-configuration`)
  ).json()) as Record<string, unknown>
  t.is(discovery.issuer, world.issuer)
  t.is(discovery.registration_endpoint, undefined)
  t.is(discovery.authorization_response_iss_parameter_supported, true)
  t.deepEqual(discovery.code_challenge_methods_supported, ['S256'])
  for (const [name, value] of Object.entries(discovery)) {
    if (!name.endsWith('_endpoint') && name !== 'jwks_uri') continue
    t.true(String(value).startsWith(world.issuer), name)
  }
})
