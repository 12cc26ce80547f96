/** The school with SAML, from the app to its page and back, and out of both. */
import test from 'ava'
import { type Browser, openBrowser } from '../helpers/browser.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const as = (account: string) => ({ account, password: account })

async function leaveFor(world: World, browser = openBrowser()) {
  const page = await browser.open(`${world.issuer}/account`)
  return { browser, page: await browser.submit(page, 'county-form', { connector: 'saml-school' }) }
}

/** Signs in at the school, and brings its answer on. */
async function come(world: World, account: string) {
  const { browser, page } = await leaveFor(world)
  const answer = await browser.submit(page, 'county-login', as(account))
  return { browser, answer, back: await browser.submit(answer, 'county-post') }
}

const isIn = async (world: World, browser: Browser) =>
  (await browser.open(`${world.issuer}/account`)).url.pathname === '/account'

test('who comes from the school is who its sealed answer says, and signs out of both from either', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const { browser, answer, back } = await come(world, 'schooltest')
  t.is(back.url.pathname, '/account', back.html)
  t.true(back.html.includes('梁靜宜'))

  // What the school's page runs is what its policy names, and it works without.
  const policy = answer.headers.get('content-security-policy') ?? ''
  t.regex(policy, /default-src 'none'.*script-src 'sha256-[^']+'$/)
  t.truthy(answer.document.querySelector('#county-post button[type=submit]'))
  const field = answer.document.querySelector('[name=SAMLResponse]')?.getAttribute('value') ?? ''
  const response = Buffer.from(field, 'base64').toString()
  t.regex(response, /EncryptedAssertion/)
  t.notRegex(response, /梁靜宜|schooltest/)

  const school = `${world.counties}/saml-school/saml`
  const asked = await browser.open(`${school}/slo`)
  const out = await browser.submit(asked, 'op.logoutForm', { logout: 'yes' })
  const trail = out.trail.join('\n')
  t.true(trail.includes(`${world.issuer}/upstream/saml-school/logout?SAMLRequest=`), trail)
  t.true(out.url.href.startsWith(`${school}/slo?SAMLResponse=`), trail)
  t.true(out.html.includes('您已登出'), out.html)
  t.false(await isIn(world, browser))

  const again = await come(world, 'schooltest')
  t.true(await isIn(world, again.browser))
  const ending = await again.browser.open(`${world.issuer}/session/end`)
  const yes = { logout: 'yes', upstream: 'yes' }
  const ended = await again.browser.submit(ending, 'sign-out-form', yes)
  t.true(ended.trail.join('\n').includes(`${school}/slo?SAMLRequest=`), ended.trail.join('\n'))
  t.is(ended.url.origin, world.issuer)
  t.false(await isIn(world, again.browser))
  const { page } = await leaveFor(world, again.browser)
  t.truthy(page.document.querySelector('#county-login'), 'the school asks again')

  t.notRegex(world.log.join(''), /schooltest|梁靜宜|SAMLRe/)
})

test('each lie of the school is heard as one, its no as a no, and our metadata is for it alone', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const address = `${world.issuer}/upstream/saml-school/metadata`
  const found = await fetch(address)
  t.is(found.headers.get('content-type'), 'application/samlmetadata+xml')
  const text = await found.text()
  t.true(text.includes(`entityID="${address}"`))
  t.true(text.includes(`Location="${world.issuer}/upstream/saml-school/callback"`))
  for (const other of ['ntpc', 'nobody'])
    t.is((await fetch(`${world.issuer}/upstream/${other}/metadata`)).status, 404, other)

  const cancelled = await leaveFor(world)
  const answer = await cancelled.browser.submit(cancelled.page, 'county-login', { cancel: 'yes' })
  t.is((await cancelled.browser.submit(answer, 'county-post')).status, 403)
  await world.switchCounty('saml-school', 'refuses')
  const refused = await leaveFor(world)
  t.is((await refused.browser.submit(refused.page, 'county-post')).status, 403)
  const lies = {
    unsigned: 'not signed',
    'wrong-signature': 'does not hold',
    'wrong-issuer': 'not this upstream',
    'wrong-audience': 'audience',
    'wrong-recipient': 'Recipient',
  }
  for (const [mode, heard] of Object.entries(lies)) {
    await world.switchCounty('saml-school', mode)
    const { back } = await come(world, 'schooltest')
    t.is(back.status, 400, mode)
    t.true(
      world.log.some((line) => line.includes(heard)),
      `${mode}: ${world.log.slice(-3).join('')}`,
    )
  }
})

test('forms that say somebody signed out there are looked at as often as people may leave for it', async (t) => {
  const limits = { sources: { departures_per_minute: 3 } }
  const world = await buildWorld(t, { sandbox: true, limits })
  const tell = () =>
    fetch(`${world.issuer}/upstream/saml-school/logout`, {
      method: 'POST',
      body: new URLSearchParams({ SAMLRequest: Buffer.from('<a/>').toString('base64') }),
    })
  for (const _ of '123') t.is((await tell()).status, 400)
  const held = await tell()
  t.is(held.status, 429)
  t.truthy(held.headers.get('retry-after'))
  const { page } = await leaveFor(world)
  t.truthy(page.document.querySelector('#county-login'), 'who wants to sign in may leave')
})
