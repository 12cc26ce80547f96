/** Signing out at the upstream, by those who mean harm and those who have no luck. */
import test from 'ava'
import { UpstreamError } from '#errors.ts'
import type { Connector, UpstreamIdentity } from '#federation/connector.ts'
import { text } from '../helpers/account.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { beginAs, mailbox, proveAt, schoolAnswers } from '../helpers/joining.ts'
import { buildIdentity } from '../helpers/people.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
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
  const connectors = world.house.trips.connectors as Map<string, Connector>
  connectors.set('ntpc', connector)
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

  // A sign-in that is under way is given to the other address.
  connect(world, {
    complete: async () => {
      throw new UpstreamError('ntpc', 'refused', 'error=access_denied')
    },
  })
  const trips = connect(world)
  const held = await world.house.trips.connectors.get('ntpc')?.begin
  t.truthy(held)
  const asked = await rp.begin(browser)
  const left = await browser.request(`${world.issuer}${asked.url.pathname}/upstream/ntpc`, {
    method: 'POST',
    body: new URLSearchParams({
      form_token: asked.document.querySelector('[name=form_token]')?.getAttribute('value') ?? '',
    }),
    headers: { 'sec-fetch-site': 'same-origin' },
  })
  t.is(left.status, 303, left.html)
  t.is(trips.length, 1)
  const signingIn = new URL(trips[0] ?? '').searchParams.get('state')
  const out = await browser.open(`${world.issuer}/upstream/ntpc/logout?state=${signingIn}`)
  t.is(out.status, 200, 'no crash')
  t.true(arrivedAt(rp, await browser.open(trips[0] ?? '')), 'and the sign-in goes on')
  t.is(departures.length, 1)
})
