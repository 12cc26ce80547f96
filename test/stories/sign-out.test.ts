import test from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { eventually } from '../helpers/eventually.ts'
import { signIn } from '../helpers/sign-in.ts'
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
  const isOver = (answer: object) => Object.keys(answer).length === 0
  t.deepEqual(await eventually(() => session(''), isOver), {})
  t.deepEqual(await eventually(() => session('/partner'), isOver), {})
  t.deepEqual(await world.house.store.outbox.list(), [])
})

test('an app that does not answer its back channel keeps nobody signed in here', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ backchannelLogoutUri: 'https://127.0.0.1/logout' })
  const { account, password } = await world.buildPerson()
  const browser = openBrowser()
  await browser.submit(await rp.begin(browser), 'local-form', { account, password })
  const page = await browser.open(`${world.issuer}/session/end`)
  const { store } = world.house
  // The app is not even asked before she has her page.
  const { promise: answered, resolve: goOn } = Promise.withResolvers<void>()
  const { claim } = store.outbox
  store.outbox.claim = async (...given) => {
    await answered
    return claim(...given)
  }
  const out = await browser.submit(page, 'sign-out-form', { logout: 'yes' })
  t.is(out.status, 200, 'nobody waits for the app')
  goOn()
  const [waiting] = await eventually(
    () => store.outbox.list(),
    ([one]) => one?.lastError !== undefined,
  )
  t.like(waiting, { target: rp.clientId, lastError: 'its address leads into our own network' })
  const silent = await rp.begin(browser, { prompt: 'none' })
  t.is(silent.url.searchParams.get('error'), 'login_required')
})

test('who leaves one app only is signed out of that one, and stays signed in here', async (t) => {
  const world = await buildWorld(t)
  const { store } = world.house
  const left = await world.buildApp({
    backchannelLogoutUri: 'https://left.invalid/logout',
    postLogoutRedirectUris: ['https://app.example/'],
  })
  const kept = await world.buildApp({ backchannelLogoutUri: 'https://kept.invalid/logout' })
  const { browser, back } = await signIn(world, left)
  const { body } = await left.redeem(back.url)
  await kept.begin(browser)
  const asked = await browser.open(`${world.issuer}/session/end?id_token_hint=${body.id_token}`)
  await browser.submit(asked, 'sign-out-form')
  const farewells = await store.outbox.list()
  t.deepEqual(
    farewells.map(({ kind, target }) => [kind, target]),
    [['backchannel-logout', left.clientId]],
  )
  t.truthy((await kept.begin(browser, { prompt: 'none' })).url.searchParams.get('code'))
})

test('a session that cannot be ended sends no farewell: what is told has happened', async (t) => {
  const world = await buildWorld(t)
  const { store } = world.house
  const rp = await world.buildApp({ backchannelLogoutUri: 'https://app.invalid/logout' })
  const { browser } = await signIn(world, rp)
  const asked = await browser.open(`${world.issuer}/session/end`)
  // The key is the last thing needed: without it the transaction fails after the session was buried in it.
  store.beginOutbox(Buffer.alloc(0))
  const out = await browser.submit(asked, 'sign-out-form', { logout: 'yes' })
  t.is(out.status, 500)
  store.beginOutbox(world.house.keys.data)
  t.deepEqual(await store.outbox.list(), [])
  const again = await browser.open(`${world.issuer}/session/end`)
  t.is((await browser.submit(again, 'sign-out-form', { logout: 'yes' })).status, 200)
  t.is((await store.outbox.list()).length, 1)
})
