import test from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { buildWorld } from '../helpers/world.ts'

test('signing out at the gate signs her out of every app, by the back channel', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const browser = openBrowser()
  const fields = { account: 'ntpctest', password: 'ntpctest' }
  const atCounty = await browser.open(`${world.demo}/login?upstream=ntpc`)
  await browser.submit(atCounty, 'county-login', fields)
  const consent = await browser.open(`${world.demo}/partner/login`)
  await browser.submit(consent, 'consent-form', { decision: 'allow' })
  const session = async (path: string) =>
    JSON.parse((await browser.open(`${world.demo}${path}/session.json`)).html)
  t.is((await session('')).userinfo.name, '林雅雯')
  t.is((await session('/partner')).userinfo.name, '林雅雯')

  const page = await browser.open(`${world.issuer}/session/end`)
  const out = await browser.submit(page, 'sign-out-form', { logout: 'yes' })
  t.is(out.status, 200)
  t.deepEqual(await session(''), {})
  t.deepEqual(await session('/partner'), {})
})

test('an app that does not answer its back channel keeps nobody signed in here', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ backchannelLogoutUri: 'https://127.0.0.1/logout' })
  const { account, password } = await world.buildPerson()
  const browser = openBrowser()
  await browser.submit(await rp.begin(browser), 'local-form', { account, password })
  const page = await browser.open(`${world.issuer}/session/end`)
  const started = performance.now()
  const out = await browser.submit(page, 'sign-out-form', { logout: 'yes' })
  t.is(out.status, 200)
  t.true(performance.now() - started < 2_000, 'an address inside our network is not even tried')
  const silent = await rp.begin(browser, { prompt: 'none' })
  t.is(silent.url.searchParams.get('error'), 'login_required')
})
