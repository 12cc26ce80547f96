/** One question, its pages and the ways people leave them: back button, two tabs, too late, no cookies. */
import test from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { buildWorld } from '../helpers/world.ts'

test('another browser cannot use an interaction, even with its address', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const person = await world.buildPerson()
  const alice = openBrowser()
  const page = await rp.begin(alice)
  const mallory = openBrowser()
  await mallory.open(`${world.issuer}/`)
  const stolen = await mallory.open(page.url.href)
  t.is(stolen.status, 400)
  t.false(stolen.html.includes('local-form'))
  const { account, password } = person
  const posted = await mallory.open(`${page.url.href}/sign-in`, {
    method: 'POST',
    body: new URLSearchParams({ account, password }),
  })
  t.is(posted.status, 403)
})

test('two tabs for two apps each end at their own app', async (t) => {
  const world = await buildWorld(t)
  const a = await world.buildApp()
  const b = await world.buildApp({ redirectUris: ['https://b.example/callback'] })
  const person = await world.buildPerson()
  const browser = openBrowser()
  const { account, password } = person
  const [tabA, tabB] = [
    await a.begin(browser, { state: 'a' }),
    await b.begin(browser, { state: 'b' }),
  ]
  const backA = await browser.submit(tabA, 'local-form', { account, password })
  t.true(arrivedAt(a, backA))
  t.is(backA.url.searchParams.get('state'), 'a')
  const backB = await browser.submit(tabB, 'local-form', { account, password })
  t.true(arrivedAt(b, backB), backB.html)
  t.is(backB.url.searchParams.get('state'), 'b')
  t.is((await b.redeem(backA.url)).body.error, 'invalid_grant')
})

test('the back button after a finished sign-in shows a page that knows the way on', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { account, password } = await world.buildPerson()
  const browser = openBrowser()
  const page = await rp.begin(browser)
  const back = await browser.submit(page, 'local-form', { account, password })
  t.true(arrivedAt(rp, back))
  const again = await browser.open(page.url.href)
  t.is(again.status, 400)
  t.is(
    again.document.querySelector('#next-back-to-app')?.getAttribute('href'),
    'https://app.example',
  )
  const resent = await browser.submit(page, 'local-form', { account, password })
  t.is(resent.status, 400, 'a form sent again answers nothing twice')
})

test('a page left open too long offers to start again, and the app’s request is kept', async (t) => {
  let clock = Date.now()
  const world = await buildWorld(t, { now: () => clock })
  const rp = await world.buildApp()
  const { account, password } = await world.buildPerson()
  const browser = openBrowser()
  const page = await rp.begin(browser, { state: 'kept' })
  const { openDatabase } = await import('#store/database.ts')
  const knex = openDatabase(world.house.config.database)
  // node-oidc-provider reads the real clock: its own expiry is moved instead.
  for (const row of await knex('oidc_payload').where({ model: 'Interaction' })) {
    const payload = { ...JSON.parse(row.payload), exp: Math.floor(Date.now() / 1000) - 60 }
    await knex('oidc_payload')
      .where({ id: row.id })
      .update({ payload: JSON.stringify(payload) })
  }
  await knex.destroy()
  clock += 2 * 60 * 60 * 1000
  const late = await browser.submit(page, 'local-form', { account, password })
  t.is(late.status, 400)
  const link = late.document.querySelector('#next-start-again')?.getAttribute('href') ?? ''
  const fresh = await browser.open(new URL(link, world.issuer).href)
  const back = await browser.submit(fresh, 'local-form', { account, password })
  t.is(back.url.searchParams.get('state'), 'kept')
  const stranger = openBrowser()
  await stranger.open(`${world.issuer}/`)
  t.is((await stranger.open(new URL(link, world.issuer).href)).status, 400)
})

test('a browser that keeps no cookies is told so', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const begun = await openBrowser().request(rp.authorize())
  const page = await openBrowser().open(
    new URL(begun.headers.get('location') ?? '', world.issuer).href,
  )
  t.is(page.status, 400)
  t.regex(page.html, /Cookie/i)
})
