/** The demo app as a stranger meets it: sign in, look, refresh, sign out, and what goes wrong on the way. */
import test from 'ava'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { buildWorld, type World } from '../helpers/world.ts'
import { openCounties } from './counties-world.ts'

const sandbox = { sandbox: true } as const

/** Along an app's own sign-in link, through a county, and back. */
async function signIn(browser: Browser, world: World, path = '', account = 'ntpctest') {
  const atCounty = await browser.open(`${world.demo}${path}/login?upstream=ntpc`)
  return browser.submit(atCounty, 'county-login', { account, password: account })
}

const heading = (page: Page) => page.document.querySelector('h1')?.text.trim()

const session = async (browser: Browser, world: World, path = '') =>
  JSON.parse((await browser.open(`${world.demo}${path}/session.json`)).html)

test('a stranger finds the sign-in link, goes through her county and sees what the app learnt', async (t) => {
  const world = await buildWorld(t, sandbox)
  const browser = openBrowser()
  const front = await browser.open(`${world.demo}/`)
  t.is(front.document.querySelector('#sign-in')?.getAttribute('href'), '/login')
  const home = await signIn(browser, world)
  t.is(home.url.href, `${world.demo}/`)
  t.is(heading(home), '您好，林雅雯')
  t.is(home.document.querySelectorAll('script, style, [style]').length, 0)

  const told = await session(browser, world)
  t.is(told.userinfo.name, '林雅雯')
  t.is(told.userinfo.sub, told.claims.sub)
  t.true(told.id_token_verified)
  t.is(told.id_token_header.alg, 'RS256')
  t.is(told.eduinfo.v1.schoolid, '014598')
  t.is(told.eduinfo.v2.schoolid, '014598')
})

test('signing out of the app signs out of Citygate', async (t) => {
  const world = await buildWorld(t, sandbox)
  const browser = openBrowser()
  const home = await signIn(browser, world)
  const asked = await browser.submit(home, 'sign-out-form')
  t.is(asked.url.origin, world.issuer)
  t.deepEqual(await session(browser, world), {})
})

test('the partner keeps a session of its own beside the first app’s', async (t) => {
  const world = await buildWorld(t, sandbox)
  const browser = openBrowser()
  await signIn(browser, world)
  t.deepEqual(await session(browser, world, '/partner'), {})
  const asked = await browser.open(`${world.demo}/partner/login`)
  t.is(asked.url.origin, world.issuer, 'a third party needs her consent first')
  t.truthy((await session(browser, world)).claims)
})

test('a refusal is shown in words, with a way to try again', async (t) => {
  const world = await buildWorld(t, sandbox)
  const page = await openBrowser().open(
    `${world.demo}/callback?error=access_denied&state=never-sent`,
  )
  t.is(page.url.pathname, '/', 'an answer nobody asked for changes nothing')

  const browser = openBrowser()
  const denied = await browser.request(`${world.demo}/login?prompt=none`)
  const back = await browser.open(denied.headers.get('location') ?? '')
  t.is(back.status, 400)
  t.is(back.document.querySelector('#failure')?.text, 'login_required')
  t.is(back.document.querySelector('#sign-in')?.getAttribute('href'), '/login')
  t.notRegex(back.html, /\bat .*\.(ts|js):\d+/, 'no stack')
})

test('an app whose Citygate is away says so, and offers to try again', async (t) => {
  const { demo } = await openCounties(t)
  const page = await openBrowser().open(`${demo}/login`)
  t.is(page.status, 502)
  t.is(heading(page), '現在連不上登入服務')
  t.is(page.document.querySelector('#sign-in')?.getAttribute('href'), '/login')
  t.notRegex(page.html, /localhost:1\b.*(ECONN|fetch)/, 'no inner words')
})

test('a logout token that Citygate did not sign ends nothing', async (t) => {
  const world = await buildWorld(t, sandbox)
  const browser = openBrowser()
  await signIn(browser, world)
  for (const token of ['', 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.']) {
    const answer = await fetch(`${world.demo}/backchannel-logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    })
    t.is(answer.status, 400)
  }
  t.truthy((await session(browser, world)).claims)
})

test('two tabs may leave at once; both come back', async (t) => {
  const world = await buildWorld(t, sandbox)
  const browser = openBrowser()
  await signIn(browser, world)
  const tabs = await Promise.all(
    [1, 2, 3].map(() => browser.request(`${world.demo}/login?prompt=none`)),
  )
  for (const tab of tabs) {
    const back = await browser.open(tab.headers.get('location') ?? '')
    t.is(back.url.href, `${world.demo}/`)
    t.is(back.status, 200)
  }
})
