/** The switches: every failure a county can be told to have, and that it remembers what it was told. */
import { setTimeout } from 'node:timers/promises'
import test from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { leave, nothingKept, openCounties, redeem, signIn } from './counties-world.ts'

const elapsed = async (work: Promise<unknown>) => {
  const start = performance.now()
  await work
  return performance.now() - start
}

test('a county that is down cuts every connection, and comes back', async (t) => {
  const counties = await openCounties(t)
  const discovery = `${counties.issuer('ntpc')}/.well-known/openid-configuration`
  t.is((await counties.switchTo('ntpc', 'down')).status, 303)
  await t.throwsAsync(fetch(discovery))
  const neighbour = `${counties.issuer('tc')}/.well-known/openid-configuration`
  t.is((await fetch(neighbour)).status, 200, 'the neighbour is well')
  await counties.switchTo('ntpc', 'ok')
  t.is((await fetch(discovery)).status, 200)
})

test('a slow county answers late', async (t) => {
  const counties = await openCounties(t)
  const discovery = `${counties.issuer('ntpc')}/.well-known/openid-configuration`
  await counties.switchTo('ntpc', 'slow')
  t.true((await elapsed(fetch(discovery))) >= 490)
})

test('a county in garbage mode answers every call with a web page', async (t) => {
  const counties = await openCounties(t)
  await counties.switchTo('ntpc', 'garbage')
  for (const path of ['/.well-known/openid-configuration', '/oidc/v1/azp', '/oidc/v1/token']) {
    const answer = await fetch(counties.issuer('ntpc') + path)
    t.is(answer.status, 200)
    t.regex(answer.headers.get('content-type') ?? '', /^text\/html/)
  }
})

test('a county that refuses sends everybody back at once, even who is signed in', async (t) => {
  const counties = await openCounties(t)
  const browser = openBrowser()
  await signIn(await leave(counties, 'ntpc'), 'ntpctest', browser)
  await counties.switchTo('ntpc', 'refuses')
  const trip = await leave(counties, 'ntpc')
  const back = await browser.open(trip.url)
  t.is(back.url.host, 'app.example')
  t.is(back.url.searchParams.get('error'), 'access_denied')
  t.is(back.url.searchParams.get('state'), trip.state)

  const elsewhere = new URL(trip.url)
  elsewhere.searchParams.set('redirect_uri', 'https://evil.example/')
  const page = await openBrowser().open(elsewhere.href)
  t.is(page.status, 400, 'but never to an address that is not registered')
  t.is(page.url.hostname, 'localhost')
})

test('the token endpoint alone can be down or slow', async (t) => {
  const counties = await openCounties(t)
  const trip = await leave(counties, 'ntpc')
  await counties.switchTo('ntpc', 'down-token')
  const back = await signIn(trip)
  t.truthy(back.url.searchParams.get('code'), 'the front channel is well')
  await t.throwsAsync(redeem(trip, back))
  await counties.switchTo('ntpc', 'slow-token')
  t.true((await elapsed(redeem(trip, back))) >= 490)
})

for (const mode of ['wrong-nonce', 'wrong-issuer', 'wrong-signature']) {
  for (const county of ['ntpc', 'hlc']) {
    test(`an ID token of ${county} in mode ${mode} convinces nobody`, async (t) => {
      const counties = await openCounties(t)
      await counties.switchTo(county, mode)
      const trip = await leave(counties, county)
      await t.throwsAsync(redeem(trip, await signIn(trip)), { name: 'ClientError' })
    })
  }
}

test('a word that is no mode changes nothing', async (t) => {
  const counties = await openCounties(t)
  for (const mode of ['', 'constructor', 'DOWN']) {
    t.is((await counties.switchTo('ntpc', mode)).status, 400)
  }
  t.is((await counties.switchTo('nowhere', 'down')).status, 404)
  t.is((await fetch(`${counties.url}/ntpc/.well-known/openid-configuration`)).status, 200)
})

test('the index lists every county with its people, and its form throws the switch', async (t) => {
  const counties = await openCounties(t)
  const browser = openBrowser()
  const index = await browser.open(`${counties.url}/`)
  for (const county of ['ntpc', 'kh', 'ylc', 'hlc', 'tc']) {
    const card = index.document.querySelector(`#${county}`)
    t.truthy(card?.querySelector(`form[action="/${county}/switch"] select[name=mode]`))
    for (const who of ['test', 'pupil', 'two', 'na'])
      t.regex(card?.text ?? '', RegExp(county + who))
  }
  await counties.switchTo('kh', 'down')
  const later = await browser.open(`${counties.url}/`)
  const chosen = later.document.querySelector('#kh option[selected]')
  t.is(chosen?.getAttribute('value'), 'down')
})

test('a new process redeems the code, knows the session and keeps the switch of the one that died', async (t) => {
  const kept = nothingKept()
  const before = await openCounties(t, kept)
  const browser = openBrowser()
  const trip = await leave(before, 'ntpc')
  const atPage = await leave(before, 'kh')
  const page = await browser.open(atPage.url)
  const back = await signIn(trip, 'ntpctest', browser)
  await before.switchTo('tc', 'down')
  await before.close()
  // Our own fetch must notice that its old connections are gone.
  while (await fetch(before.url).catch(() => undefined)) await setTimeout(10)

  const after = await openCounties(t, kept, Number(new URL(before.url).port))
  t.is((await redeem(trip, back)).claims()?.sub, 'ntpctest')
  const second = await leave(after, 'ntpc')
  t.is((await redeem(second, await browser.open(second.url))).claims()?.sub, 'ntpctest')
  const fields = { account: 'khtest', password: 'khtest' }
  const late = await browser.submit(page, 'county-login', fields)
  t.truthy((await redeem(atPage, late)).id_token, 'a page left open still works')
  await t.throwsAsync(fetch(`${after.issuer('tc')}/.well-known/openid-configuration`))
})

test('a port somebody else has is named, with the variable to change', async (t) => {
  const first = await openCounties(t)
  const port = Number(new URL(first.url).port)
  await t.throwsAsync(openCounties(t, nothingKept(), port), {
    message: new RegExp(`port ${port} on 127.0.0.1 .*SANDBOX_PORT`),
  })
})

test('the first start ever listens at once: keys are made when a county is first asked', async (t) => {
  const kept = nothingKept()
  const counties = await openCounties(t, kept)
  t.is(kept.strings.size, 0)
  await (await fetch(`${counties.issuer('ntpc')}/oidc/v1/jwksets`)).text()
  t.true(kept.strings.size > 0)
})
