import test from 'ava'
import { type Browser, openBrowser } from '../helpers/browser.ts'
import { eventually } from '../helpers/eventually.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const signIn = async (world: World, browser: Browser, county: string) => {
  const atCounty = await browser.open(`${world.demo}/login?upstream=${county}`)
  const account = `${county}test`
  await browser.submit(atCounty, 'county-login', { account, password: account })
}

const isSignedIn = async (world: World, browser: Browser, path = '') => {
  const { html } = await browser.open(`${world.demo}${path}/session.json`)
  return Object.keys(JSON.parse(html)).length > 0
}

test('who signs out may sign out at her county as well, and comes back', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const browser = openBrowser()
  await signIn(world, browser, 'ntpc')
  t.true(await isSignedIn(world, browser))

  const page = await browser.open(`${world.issuer}/session/end`)
  t.regex(page.html, /也登出<bdi>新北市<\/bdi>的教育帳號/)
  const policy = page.headers.get('content-security-policy') ?? ''
  t.true(policy.includes(new URL(world.counties).origin), policy)
  const asked = await browser.submit(page, 'sign-out-form', { logout: 'yes', upstream: 'yes' })
  t.is(asked.url.origin, new URL(world.counties).origin, 'the county asks once more')
  const back = await browser.submit(asked, 'op.logoutForm', { logout: 'yes' })
  t.is(back.url.href, `${world.issuer}/session/end/success`)
  t.regex(back.html, /您已經登出|已登出/)

  const again = await browser.open(`${world.demo}/login?upstream=ntpc`)
  t.regex(again.url.pathname, /^\/ntpc\/interaction\//, 'the county wants her password again')
})

test('who does not want that stays signed in at her county', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const browser = openBrowser()
  await signIn(world, browser, 'ntpc')
  const page = await browser.open(`${world.issuer}/session/end`)
  const out = await browser.submit(page, 'sign-out-form', { logout: 'yes' })
  t.is(out.url.href, `${world.issuer}/session/end/success`)
  const again = await browser.open(`${world.demo}/login?upstream=ntpc`)
  t.is(again.url.origin, world.demo, 'no password is asked for')
})

test('who came with a password is offered nothing of the kind', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { account, password } = await world.buildPerson()
  const browser = openBrowser()
  await browser.submit(await rp.begin(browser), 'local-form', { account, password })
  const page = await browser.open(`${world.issuer}/session/end`)
  t.notRegex(page.html, /sign-out-there/)
  const out = await browser.submit(page, 'sign-out-form', { logout: 'yes', upstream: 'yes' })
  t.is(out.url.href, `${world.issuer}/session/end/success`)
})

test('a county that tells of a sign-out there ends the sessions that stand on it, and every app hears of it', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const [hers, elsewhere, other] = [openBrowser(), openBrowser(), openBrowser()]
  await signIn(world, hers, 'kh')
  await signIn(world, elsewhere, 'kh')
  await signIn(world, other, 'ntpc')
  const consent = await hers.open(`${world.demo}/partner/login`)
  await hers.submit(consent, 'consent-form', { decision: 'allow' })

  const asked = await hers.open(`${world.counties}/kh/oauth2/sessions/logout`)
  await hers.submit(asked, 'op.logoutForm', { logout: 'yes' })
  const over = (signedIn: boolean) => !signedIn
  t.false(await eventually(() => isSignedIn(world, hers), over))
  t.false(await eventually(() => isSignedIn(world, hers, '/partner'), over))
  t.true(
    await isSignedIn(world, elsewhere),
    'another browser has a session of its own at the county',
  )
  t.true(await isSignedIn(world, other), 'nobody of another county')
  const { store } = world.house
  const [event] = await store.auditReads.list({ limit: 1, action: 'session.sign-out' })
  t.like(event, {
    actor: 'upstream:kh',
    outcome: 'ok',
    details: { connector: 'kh', sessionsEnded: 1 },
  })
})

test('what a county did not say ends nobody’s session', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const browser = openBrowser()
  await signIn(world, browser, 'kh')
  for (const logout_token of ['', 'x', 'eyJhbGciOiJub25lIn0.e30.']) {
    const answer = await fetch(`${world.issuer}/upstream/kh/logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token }),
    })
    t.is(answer.status, 400)
    t.is(answer.headers.get('set-cookie'), null)
    t.deepEqual(await answer.json(), { error: 'invalid_request' })
  }
  const nobody = await fetch(`${world.issuer}/upstream/nobody/logout`, {
    method: 'POST',
    body: new URLSearchParams(),
  })
  t.is(nobody.status, 400)
  t.true(await isSignedIn(world, browser))
})

test('a way back from a sign-out is good once, and in the browser that left', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const browser = openBrowser()
  await signIn(world, browser, 'ntpc')
  const page = await browser.open(`${world.issuer}/session/end`)
  const asked = await browser.submit(page, 'sign-out-form', { logout: 'yes', upstream: 'yes' })
  t.is(asked.status, 200)
  const stranger = openBrowser()
  for (const path of ['', '?state=', '?state=made-up', '?state=a&state=b']) {
    const out = await stranger.open(`${world.issuer}/upstream/ntpc/logout${path}`)
    t.is(out.url.href, `${world.issuer}/session/end/success`)
  }
})
