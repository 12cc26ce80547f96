/** Signing out at the upstream, by those who mean harm and those who have no luck. */
import test from 'ava'
import { UpstreamError } from '#errors.ts'
import type { Connector, UpstreamIdentity } from '#federation/connector.ts'
import { text } from '../helpers/account.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { eventually } from '../helpers/eventually.ts'
import { beginAs, proveAt, schoolAnswers } from '../helpers/joining.ts'
import { buildIdentity } from '../helpers/people.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { connectUpstream } from '../helpers/upstreams.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const there = 'https://ntpc.sso.edu.tw'
type Canned = Partial<Pick<Connector, 'signOut' | 'hearLogout' | 'complete'>> & {
  identity?: Partial<UpstreamIdentity>
}

const signOut: Connector['signOut'] = async ({ returnTo, state }) =>
  `${there}/logout?${new URLSearchParams({ returnTo, state })}`
const session = { sid: 's1', signsOut: true } as const

/** Connects 新北市 to a county that vouches for one person without asking anybody. */
function connect(world: World, { identity = { session }, ...canned }: Canned = {}) {
  const departures: string[] = []
  const connector: Connector = {
    id: 'ntpc',
    origins: [there],
    servers: [],
    probe: async () => {},
    async begin({ callbackUrl, state }) {
      departures.push(`${callbackUrl}?state=${state}&code=x`)
      return { url: `${callbackUrl}?state=${state}&code=x`, memo: {} }
    },
    complete: async () => buildIdentity(identity),
    signOut,
    ...canned,
  }
  connectUpstream(world, connector)
  return departures
}

const signIn = async (rp: RelyingParty, browser = openBrowser()) => {
  const back = await rp.begin(browser, { upstream: 'ntpc' })
  if (!arrivedAt(rp, back)) throw new Error(back.html)
  return browser
}

const ask = (world: World, browser: Browser) => browser.open(`${world.issuer}/session/end`)
const leave = (browser: Browser, page: Page) =>
  browser.submit(page, 'sign-out-form', { logout: 'yes', upstream: 'yes' })
const isOffered = ({ html }: Page) => html.includes('sign-out-there')

test('a trip to sign out is none to sign in, nor the other way round', async (t) => {
  const world = await buildWorld(t)
  const departures = connect(world)
  const rp = await world.buildApp()
  const browser = await signIn(rp)
  const gone = await leave(browser, await ask(world, browser))
  t.is(gone.url.origin, there)
  const state = gone.url.searchParams.get('state') ?? ''
  const asSignIn = `${world.issuer}/upstream/ntpc/callback?state=${state}&code=x`
  t.is((await browser.open(asSignIn)).status, 400)
  const home = await browser.open(`${world.issuer}/upstream/ntpc/logout?state=${state}`)
  t.is(home.url.pathname, '/session/end/success', 'it is still good for what it is for')
  t.is((await browser.open(asSignIn)).status, 400)

  // A sign-in that is under way, and its state given to the other address.
  const asked = await rp.begin(browser)
  const token = asked.document.querySelector('[name=form_token]')?.getAttribute('value') ?? ''
  const left = await browser.request(`${world.issuer}${asked.url.pathname}/upstream/ntpc`, {
    method: 'POST',
    body: new URLSearchParams({ form_token: token }),
  })
  t.is(left.status, 303, left.html)
  const onTheWay = departures.at(-1) ?? ''
  const { search } = new URL(onTheWay)
  const out = await browser.open(`${world.issuer}/upstream/ntpc/logout${search}`)
  t.is(out.url.pathname, '/session/end/success')
  t.true(arrivedAt(rp, await browser.open(onTheWay)), 'the sign-in goes on')
})

test('a county where nobody can sign out just now: she is told, is out here, and goes on', async (t) => {
  const world = await buildWorld(t)
  const away = async () => {
    throw new UpstreamError('ntpc', 'unreachable', 'discovery: could not be reached')
  }
  // A browser would not go where the page did not say it might.
  const elsewhere = async () => 'https://sso.elsewhere.example/logout'
  const goOn = 'https://app.example/bye'
  const rp = await world.buildApp({ postLogoutRedirectUris: [goOn] })
  for (const signOut of [away, elsewhere]) {
    connect(world, { signOut })
    const browser = await signIn(rp)
    const query = new URLSearchParams({ client_id: rp.clientId, post_logout_redirect_uri: goOn })
    const page = await leave(browser, await browser.open(`${world.issuer}/session/end?${query}`))
    t.is(page.status, 502)
    t.is(page.url.pathname, '/session/end/confirm')
    t.is(page.headers.get('location'), null)
    t.true(text(page, '#problem-title').includes('新北市'))
    t.is(page.document.querySelector('#next-go-on')?.getAttribute('href'), goOn)
    t.false(isOffered(await ask(world, browser)), 'nobody is signed in here any more')
  }
  t.true(
    world.log.some((line) => /sso\.elsewhere\.example/.test(line)),
    'the operator is told',
  )
})

test('what a county cannot do is not offered', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  connect(world, { identity: { session: { sid: 's1' } } })
  t.false(isOffered(await ask(world, await signIn(rp))))
  connect(world)
  t.true(isOffered(await ask(world, await signIn(rp))))
})

test('a message of a sign-out through her browser that does not hold ends on a page, with a way to sign out', async (t) => {
  const world = await buildWorld(t)
  connect(world, {
    hearLogout: async () => {
      throw new UpstreamError('ntpc', 'forged', 'logout message: signature')
    },
  })
  const browser = openBrowser()
  const address = `${world.issuer}/upstream/ntpc/logout`
  const body = new URLSearchParams({ SAMLRequest: 'x' })
  const pages = [
    await browser.open(`${address}?SAMLRequest=x`),
    await browser.open(address, { method: 'POST', body }),
  ]
  for (const page of pages) {
    t.is(page.status, 400)
    t.is(page.document.querySelector('#next-sign-out')?.getAttribute('href'), '/session/end')
  }
})

test('a county that answers by a form leads her on to the app all the same, whatever it says', async (t) => {
  const world = await buildWorld(t)
  const goOn = 'https://app.example/bye'
  const rp = await world.buildApp({ postLogoutRedirectUris: [goOn] })
  const failed = async () => {
    throw new UpstreamError('ntpc', 'refused', 'logout message: status Responder')
  }
  for (const hearLogout of [async () => ({ kind: 'answered' }) as const, failed]) {
    connect(world, { hearLogout })
    const browser = await signIn(rp)
    const query = new URLSearchParams({ client_id: rp.clientId, post_logout_redirect_uri: goOn })
    const gone = await leave(browser, await browser.open(`${world.issuer}/session/end?${query}`))
    const body = new URLSearchParams({
      SAMLResponse: 'x',
      RelayState: gone.url.searchParams.get('state') ?? '',
    })
    // Another site's form: without our cookies.
    const answer = await fetch(`${world.issuer}/upstream/ntpc/logout`, {
      method: 'POST',
      body,
      redirect: 'manual',
    })
    t.is(answer.status, 303)
    const location = answer.headers.get('location') ?? ''
    const back = await browser.open(new URL(location, world.issuer).href)
    t.is(back.url.href, goOn)
  }
  const nobody = encodeURIComponent('../..//evil.example')
  const { headers } = await fetch(`${world.issuer}/upstream/${nobody}/logout`, {
    method: 'POST',
    body: new URLSearchParams({ SAMLResponse: 'x' }),
    redirect: 'manual',
  })
  t.is(headers.get('location'), `/upstream/${nobody}/logout`)
})

test('a county that names her and her session ends it although she unlinked the county', async (t) => {
  const world = await buildWorld(t)
  const ended = { kind: 'ended', issuer: there, subject: 'teacher1' } as const
  let sid = 's2'
  connect(world, { hearLogout: async () => ({ ...ended, sid }) })
  const rp = await world.buildApp()
  const browser = await signIn(rp)
  const { identities } = world.house.store
  const linked = await identities.find(there, 'teacher1')
  t.true(await identities.unlink(linked?.identity.id ?? '', linked?.account.id ?? ''))
  const tell = async () => {
    const body = new URLSearchParams({ logout_token: 'x' })
    const answer = await fetch(`${world.issuer}/upstream/ntpc/logout`, { method: 'POST', body })
    t.is(answer.status, 200)
    t.is(answer.headers.get('cache-control'), 'no-store')
  }
  await tell()
  t.true(isOffered(await ask(world, browser)), 'that was another session')
  sid = 's1'
  await tell()
  t.false(isOffered(await ask(world, browser)))
})

test('who has just joined is signed out here when she signs out there', async (t) => {
  const options = { sandbox: true, enrolments: 'as configured' } as const
  const world = await buildWorld(t, options)
  const browser = openBrowser()
  const form = await proveAt(browser, await beginAs(browser, world, 'school'), 'kh', 'khtest')
  const check = await browser.submit(form, 'joining-form', schoolAnswers)
  const joined = await browser.submit(check, 'joining-form')
  const inside = await browser.submit(joined, 'enter-form')
  t.is(inside.url.pathname, '/account', inside.html)
  t.true(isOffered(await ask(world, browser)), 'and she may sign out there, too')
  const asked = await browser.open(`${world.counties}/kh/oauth2/sessions/logout`)
  await browser.submit(asked, 'op.logoutForm', { logout: 'yes' })
  const over = (path: string) => path !== '/account'
  const where = async () => (await browser.open(`${world.issuer}/account`)).url.pathname
  t.regex(await eventually(where, over), /^\/interaction\//)
})
