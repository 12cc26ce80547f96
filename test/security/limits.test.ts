import test from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { buildWorld } from '../helpers/world.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }

test('a body of ten megabytes is refused wherever a form is taken', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const browser = openBrowser()
  const page = await rp.begin(browser)
  const cookie = await browser.jar.getCookieString(page.url.href)
  const paths = [
    '/token',
    '/token/introspection',
    '/token/revocation',
    '/request',
    '/device',
    '/device/auth',
    '/me',
    '/auth',
    '/session/end',
    '/session/end/confirm',
    '/account/forget',
    `${page.url.pathname}/sign-in`,
  ]
  for (const path of paths) {
    const reply = await fetch(world.issuer + path, {
      method: 'POST',
      headers: { ...form, cookie },
      body: `a=${'x'.repeat(10 * 1024 * 1024)}`,
    }).catch(() => undefined)
    // Cut off before the whole was sent is an answer too.
    // /device has a test of its own below.
    if (reply && path !== '/device')
      t.true(reply.status >= 400 && reply.status < 500, `${path} ${reply.status}`)
  }
  t.is((await fetch(`${world.issuer}/jwks`)).status, 200)
})

test('a claims parameter nested thousands deep is refused or ignored, never a fault of ours', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const person = await world.buildPerson()
  const browser = openBrowser()
  await browser.submit(await rp.begin(browser), 'local-form', person)
  const deep = 9_000
  const claims = `{"userinfo":{"email":${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}}}`
  const basic = Buffer.from(`${rp.clientId}:${rp.clientSecret}`).toString('base64')
  const pushed = await fetch(`${world.issuer}/request`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams([...new URL(rp.authorize()).searchParams, ['claims', claims]]),
  })
  t.true(pushed.status < 500, `${pushed.status}`)
  if (pushed.status !== 201) return
  const { request_uri } = (await pushed.json()) as { request_uri: string }
  const back = await browser.open(
    `${world.issuer}/auth?${new URLSearchParams({ client_id: rp.clientId, request_uri })}`,
  )
  t.not(back.url.searchParams.get('error'), 'server_error')
  t.true(back.status < 500)
})

test('nothing but assets, keys and discovery may be kept by a cache, whatever the method and the outcome', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const cacheable = /^\/(assets|jwks|\.well-known)/
  const paths = [
    '/',
    '/account',
    '/account?error=x',
    '/nowhere',
    '/join',
    '/device',
    '/device?user_code=BBBBBBBB',
    '/session/end',
    '/session/end/success',
    '/session/end/confirm',
    '/token',
    '/me',
    '/request',
    '/eduinfo/v1',
    '/interaction/x',
    '/interaction/x/start-again',
    '/auth/x',
    '/upstream/ntpc/callback?state=x',
    '/upstream/nowhere/callback',
    new URL(rp.authorize()).pathname + new URL(rp.authorize()).search,
    '/auth?client_id=x',
    '/%E0%A4%A',
  ]
  for (const path of paths) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'DELETE']) {
      const reply = await fetch(world.issuer + path, {
        method,
        redirect: 'manual',
        ...(method === 'POST' ? { headers: form, body: 'a=b' } : {}),
      })
      const what = `${method} ${path} ${reply.status}`
      if (!path.startsWith('/device')) t.true(reply.status < 500, what)
      t.true(
        cacheable.test(path) || /no-store/.test(reply.headers.get('cache-control') ?? ''),
        what,
      )
      t.is(reply.headers.get('x-content-type-options'), 'nosniff', what)
      t.is(reply.headers.get('referrer-policy'), 'no-referrer', what)
      t.regex(reply.headers.get('content-security-policy') ?? '', /default-src 'none'/, what)
      t.is(reply.headers.get('x-powered-by'), null, what)
    }
  }
})

test('other sites may not embed what is ours', async (t) => {
  const world = await buildWorld(t)
  const home = await fetch(world.issuer)
  t.regex(home.headers.get('cross-origin-resource-policy') ?? '', /^same-(origin|site)$/)
})

test('a device code sent from a browser that kept no cookie gets a page in words', async (t) => {
  const world = await buildWorld(t)
  const reply = await fetch(`${world.issuer}/device`, {
    method: 'POST',
    body: new URLSearchParams({ user_code: 'BBBB-BBBB' }),
  })
  t.is(reply.status, 400)
})

test('a posted request too long for an address ends on a page of ours', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const body = new URL(rp.authorize({ state: 'x'.repeat(20_000) })).searchParams
  const page = await openBrowser()
    .open(`${world.issuer}/auth`, { method: 'POST', body })
    .catch(() => undefined)
  t.true(page?.headers.has('x-reference') === true, `${page?.status ?? 'no client reads it'}`)
})
