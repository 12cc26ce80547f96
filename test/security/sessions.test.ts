import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { forgetClient } from '#oidc/remembered-clients.ts'
import { openDatabase } from '#store/database.ts'
import { openBrowser } from '../helpers/browser.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { addSchools, signIn } from '../helpers/sign-in.ts'
import { buildWorld, type World } from '../helpers/world.ts'

async function inDatabase<T>(
  world: World,
  work: (knex: ReturnType<typeof openDatabase>) => Promise<T>,
): Promise<T> {
  const knex = openDatabase(world.house.config.database)
  try {
    return await work(knex)
  } finally {
    await knex.destroy()
  }
}

const suspend = (world: World, id: string) =>
  inDatabase(world, (knex) => knex('account').where({ id }).update({ status: 'suspended' }))

/** Signs out in this browser as a person does. */
async function signOut(world: World, browser: ReturnType<typeof openBrowser>) {
  const asked = await browser.open(`${world.issuer}/session/end`)
  return browser.submit(asked, 'sign-out-form', { logout: 'yes' })
}

test('who has signed out gives no consent any more: the next person at this computer cannot give it for her', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ firstParty: false })
  const { browser, back: consent, person } = await signIn(world, rp)
  t.truthy(consent.document.querySelector('#consent-form'))
  await signOut(world, browser)
  const after = await browser.submit(consent, 'consent-form', { decision: 'allow' })
  t.false(arrivedAt(rp, after))
  t.is(await world.house.store.consents.find(person.sub, rp.clientId), undefined)
})

test('who has signed out chooses no school any more', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const person = await world.buildPerson()
  await addSchools(world, person.sub, ['014569', '014570'])
  const browser = openBrowser()
  const page = await rp.begin(browser, { scope: 'openid eduinfo' })
  const choose = await browser.submit(page, 'local-form', person)
  t.truthy(choose.document.querySelector('#affiliation-form'))
  await signOut(world, browser)
  await browser.submit(choose, 'affiliation-form', { affiliation: '014570:teacher' })
  t.is(await world.house.store.affiliationChoices.find(person.sub, rp.clientId), undefined)
})

test('after sign-out the pages of an open request no longer name the person', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { browser, person } = await signIn(world, rp)
  const choose = await rp.begin(browser, { prompt: 'select_account' })
  t.true(choose.html.includes(person.name))
  await signOut(world, browser)
  const again = await browser.open(choose.url.href)
  t.false(again.html.includes(person.name))
  t.false(again.html.includes(person.account))
})

test('auth_time is when she signed in, not when she consented', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ firstParty: false })
  const signedInAt = Math.floor(Date.now() / 1000)
  const { browser, back: consent } = await signIn(world, rp)
  const shownAt = Math.floor(Date.now() / 1000)
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  const done = await browser.submit(consent, 'consent-form', { decision: 'allow' })
  const { body } = await rp.redeem(done.url)
  const authTime = Number((await rp.verify(body.id_token)).payload.auth_time)
  t.true(authTime >= signedInAt && authTime <= shownAt, `${authTime - shownAt} s late`)
})

test('signing out holds, whatever another tab was doing at that moment', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { browser } = await signIn(world, rp)
  const cookie = await browser.jar.getCookieString(world.issuer)
  const asked = await browser.open(`${world.issuer}/session/end`)

  // A silent request has read the session and waits, for its app's row say, while the sign-out goes through.
  const { clients } = world.house.store
  const { find } = clients
  let arrived = () => {}
  let goOn = () => {}
  const waiting = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const gate = new Promise<void>((resolve) => {
    goOn = resolve
  })
  forgetClient(world.house.provider, rp.clientId)
  clients.find = async (id) => {
    clients.find = find
    arrived()
    await gate
    return find(id)
  }
  const silent = fetch(rp.authorize({ prompt: 'none' }), {
    headers: { cookie },
    redirect: 'manual',
  })
  await waiting
  await browser.submit(asked, 'sign-out-form', { logout: 'yes' })
  goOn()
  const late = await silent
  const laterCookie = late.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  for (const presented of [cookie, laterCookie]) {
    const after = await fetch(rp.authorize({ prompt: 'none' }), {
      headers: { cookie: presented },
      redirect: 'manual',
    })
    const error = new URL(after.headers.get('location') ?? '').searchParams.get('error')
    t.is(error, 'login_required')
  }
})

test('of two who resume one answered request at once, one gets a code, and sign-out leaves no session behind', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const person = await world.buildPerson()
  const browser = openBrowser()
  const page = await rp.begin(browser)
  const token = page.document.querySelector('#local-form input[name=form_token]')
  const answered = await browser.request(new URL('sign-in', `${page.url.href}/`).href, {
    method: 'POST',
    body: new URLSearchParams({
      form_token: token?.getAttribute('value') ?? '',
      account: person.account,
      password: person.password,
    }),
  })
  const resume = answered.headers.get('location') ?? ''
  // Both have read the question before either has closed it.
  const { payloads } = world.house.store
  const { consume } = payloads
  let readers = 0
  const bothHave = Promise.withResolvers<void>()
  payloads.consume = async (...row) => {
    if (++readers === 2) bothHave.resolve()
    await Promise.race([bothHave.promise, sleep(5_000)])
    return consume(...row)
  }
  const both = await Promise.all([browser.request(resume), browser.request(resume)])
  const codes = both.filter(({ headers }) => headers.get('location')?.includes('code='))
  await signOut(world, browser)
  const sessions = await inDatabase(world, (knex) =>
    knex('oidc_payload').where({ model: 'Session', account_id: person.sub }),
  )
  t.is(sessions.length, 0)
  t.is(codes.length, 1)
})

test('five restored tabs of one app all get working codes from one session', async (t) => {
  const world = await buildWorld(t)
  const first = await world.buildApp()
  const second = await world.buildApp({ redirectUris: ['https://b.example/callback'] })
  const { browser } = await signIn(world, first)
  const backs = await Promise.all(
    Array.from({ length: 5 }, () => second.begin(browser, { prompt: 'none' })),
  )
  const replies = await Promise.all(backs.map(({ url }) => second.redeem(url)))
  t.deepEqual(
    replies.map(({ status }) => status),
    [200, 200, 200, 200, 200],
  )
})

test('a suspended person who still has a session gets a page in words, not a fault', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { browser, person } = await signIn(world, rp)
  await suspend(world, person.sub)
  const page = await rp.begin(browser)
  t.not(page.url.searchParams.get('error'), 'server_error', page.url.href)
  t.true(page.status < 500)
  const silent = await rp.begin(browser, { prompt: 'none' })
  t.is(silent.url.searchParams.get('error'), 'login_required')
})

test('a suspended person’s tokens introspect as inactive', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { back, person } = await signIn(world, rp)
  const { body } = await rp.redeem(back.url)
  await suspend(world, person.sub)
  const basic = Buffer.from(`${rp.clientId}:${rp.clientSecret}`).toString('base64')
  for (const token of [body.access_token, body.refresh_token ?? '']) {
    const reply = await fetch(`${world.issuer}/token/introspection`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams({ token }),
    })
    t.deepEqual(await reply.json(), { active: false })
  }
})

test('a suspended person consents to nothing', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ firstParty: false })
  const { browser, back: consent, person } = await signIn(world, rp)
  await suspend(world, person.sub)
  const after = await browser.submit(consent, 'consent-form', { decision: 'allow' })
  t.is(await world.house.store.consents.find(person.sub, rp.clientId), undefined)
  t.not(after.url.searchParams.get('error'), 'server_error')
})

test('of two people who confirm one device code at once, one gets it and the other hears so', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({
    type: 'native',
    device: true,
    redirectUris: ['http://127.0.0.1/cb'],
  })
  const app = await world.buildApp()
  const { browser: alice } = await signIn(world, app)
  const second = await world.buildPerson({ account: 'chen@mail.edu.tw', name: '陳大文' })
  const bob = openBrowser()
  await bob.submit(await app.begin(bob), 'local-form', second)

  const started = await fetch(`${world.issuer}/device/auth`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: rp.clientId, scope: 'openid profile' }),
  })
  const device = (await started.json()) as Record<string, string>
  const user_code = device.user_code ?? ''
  const confirms = await Promise.all(
    [alice, bob].map(async (browser) =>
      browser.submit(await browser.open(device.verification_uri ?? ''), 'device-form', {
        user_code,
      }),
    ),
  )
  const [a, b] = confirms
  if (!a || !b) return t.fail()
  const [first, other] = await Promise.all([
    alice.submit(a, 'device-confirm-form'),
    bob.submit(b, 'device-confirm-form'),
  ])
  if (!first || !other) return t.fail()
  const done = await Promise.all(
    (
      [
        [alice, first],
        [bob, other],
      ] as const
    ).map(([browser, page]) =>
      page.document.querySelector('#consent-form')
        ? browser.submit(page, 'consent-form', { decision: 'allow' })
        : page,
    ),
  )
  const connected = done.filter((page) => page.document.querySelector('#device-done'))
  t.is(connected.length, 1, done.map((page) => `${page.status} ${page.url}`).join('\n'))
})

test('two tabs that open at once in a new browser can both sign in', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const browser = openBrowser()
  // Both requests left before either answer's cookies had come.
  const [one, two] = await Promise.all([
    browser.request(rp.authorize({ state: 'one' })),
    browser.request(rp.authorize({ state: 'two' })),
  ])
  const pages = []
  for (const { headers } of [one, two]) {
    pages.push(await browser.open(new URL(headers.get('location') ?? '', world.issuer).href))
  }
  t.deepEqual(
    pages.map(({ status }) => status),
    [200, 200],
  )
})

test('reloading the address that ends a request gives a page with a way on', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { browser, back } = await signIn(world, rp)
  const resume = back.trail.find((url) => /\/auth\/[^?]/.test(url)) ?? ''
  t.not(resume, '')
  const again = await browser.open(resume)
  t.is(again.status, 400)
  const ways = again.document.querySelectorAll('main a, main form')
  t.true(ways.length > 0, again.html)
})

test('an address in capitals is no way around the browser’s binding', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const begun = await fetch(rp.authorize().replace('/auth?', '/AUTH?'), { redirect: 'manual' })
  if (begun.status !== 303) return t.is(begun.status, 404)
  const page = await fetch(
    new URL(
      (begun.headers.get('location') ?? '').replace('/interaction/', '/Interaction/'),
      world.issuer,
    ),
  )
  t.true(page.status >= 400, `a stranger without any cookie gets the page: ${page.status}`)
})

test('a form sent to an address in capitals is no fault of ours', async (t) => {
  const world = await buildWorld(t)
  const answer = await fetch(`${world.issuer}/Interaction/x/sign-in`, {
    method: 'POST',
    body: new URLSearchParams({ account: 'a', password: 'b' }),
  })
  t.true(answer.status < 500, `${answer.status}`)
})
