import test from 'ava'
import { openBrowser } from '../helpers/browser.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { addSchools, signIn } from '../helpers/sign-in.ts'
import { buildWorld } from '../helpers/world.ts'

const error = (page: { url: URL }) => page.url.searchParams.get('error')

test('one sign-in serves every app; prompt=none never shows a page', async (t) => {
  const world = await buildWorld(t)
  const first = await world.buildApp()
  const second = await world.buildApp({ redirectUris: ['https://b.example/callback'] })
  const stranger = await second.begin(openBrowser(), { prompt: 'none' })
  t.is(error(stranger), 'login_required')

  const { browser, person } = await signIn(world, first)
  const silent = await second.begin(browser, { prompt: 'none' })
  t.true(arrivedAt(second, silent))
  const { body } = await second.redeem(silent.url)
  t.is((await second.verify(body.id_token)).payload.sub, person.sub)
})

test('prompt=login and max_age=0 ask again; turning back renews nothing', async (t) => {
  let clock = Date.now()
  const world = await buildWorld(t, { now: () => clock })
  const rp = await world.buildApp()
  const { browser, person, back } = await signIn(world, rp)
  const { payload: before } = await rp.verify((await rp.redeem(back.url)).body.id_token)
  clock += 5_000
  for (const more of [{ prompt: 'login' }, { max_age: '0' }] as Record<string, string>[]) {
    const asked = await rp.begin(browser, more)
    t.is(asked.url.pathname.split('/')[1], 'interaction', JSON.stringify(more))
    const cancelled = await browser.submit(asked, 'cancel-form')
    t.is(error(cancelled), 'access_denied')
    const silent = await rp.begin(browser, { prompt: 'none' })
    const { payload } = await rp.verify((await rp.redeem(silent.url)).body.id_token)
    t.is(payload.auth_time, before.auth_time)
  }
  const asked = await rp.begin(browser, { prompt: 'login' })
  const { account, password } = person
  const again = await browser.submit(asked, 'local-form', { account, password })
  t.true(arrivedAt(rp, again))
})

test('prompt=select_account offers who is signed in, and another', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { browser, person } = await signIn(world, rp)
  const other = await world.buildPerson({ account: 'lin@mail.edu.tw', name: '林老師' })

  const page = await rp.begin(browser, { prompt: 'select_account' })
  t.true(page.html.includes(person.name))
  const same = await browser.submit(page, 'continue-form')
  const first = await rp.verify((await rp.redeem(same.url)).body.id_token)
  t.is(first.payload.sub, person.sub)

  const again = await rp.begin(browser, { prompt: 'select_account' })
  const signInPage = await browser.open(`${again.url.href}?as=another`)
  const { account, password } = other
  // The provider ends the first person's session before it lets the second one in.
  const confirm = await browser.submit(signInPage, 'local-form', { account, password })
  const form = confirm.document.querySelector('form')
  t.truthy(form, confirm.html)
  const fields = Object.fromEntries(
    form
      ?.querySelectorAll('input')
      .map((input) => [input.attributes.name, input.attributes.value]) ?? [],
  ) as Record<string, string>
  const back = await browser.open(form?.getAttribute('action') ?? '', {
    method: 'POST',
    body: new URLSearchParams(fields),
  })
  t.true(arrivedAt(rp, back), back.html)
  const second = await rp.verify((await rp.redeem(back.url)).body.id_token)
  t.is(second.payload.sub, other.sub)
})

test('a person with two schools chooses one; it is remembered for that app and can be changed', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const person = await world.buildPerson()
  await addSchools(world, person.sub, ['014569', '014570'])
  const browser = openBrowser()
  const scope = 'openid eduinfo openid2'
  const page = await rp.begin(browser, { scope })
  const { account, password } = person
  const choose = await browser.submit(page, 'local-form', { account, password })
  t.true(choose.html.includes('014569') && choose.html.includes('014570'), choose.html)

  const nothing = await browser.submit(choose, 'affiliation-form', { affiliation: 'made:up' })
  t.is(nothing.status, 422)
  const back = await browser.submit(nothing, 'affiliation-form', { affiliation: '014570:teacher' })
  t.true(arrivedAt(rp, back), back.html)
  const { body } = await rp.redeem(back.url)
  const expected = {
    sub: person.sub,
    schoolid: '014570',
    titles: [
      { schoolid: '014570', titles: ['教師'] },
      { schoolid: '014569', titles: ['教師'] },
    ],
  }
  const info = await rp.get('/me', body.access_token)
  t.deepEqual(info.body.eduinfo, expected)
  t.deepEqual(info.body.openid2_id, ['https://openid.ntpc.edu.tw/user/wang'])
  t.deepEqual((await rp.get('/eduinfo/v1', body.access_token)).body, expected)
  t.deepEqual((await rp.get('/eduinfo/v2', body.access_token)).body, expected)

  t.true(arrivedAt(rp, await rp.begin(browser, { scope })), 'remembered')
  const accountPage = await browser.open(`${world.issuer}/account`)
  const asked = await browser.submit(accountPage, 'forget-form-0')
  t.is(asked.url.pathname, '/account')
  const again = await rp.begin(browser, { scope })
  t.is(again.url.pathname.split('/')[1], 'interaction')
  t.is(error(await rp.begin(browser, { scope, prompt: 'none' })), 'interaction_required')
})

test('a stranger app asks for consent in words, once; what it did not show is not granted', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ firstParty: false, name: '校外測驗平台' })
  const { browser, person, back: consent } = await signIn(world, rp)
  t.true(consent.html.includes('校外測驗平台') && consent.html.includes('app.example'))
  t.is(error(await rp.begin(browser, { prompt: 'none' })), 'consent_required')

  const denied = await browser.submit(consent, 'consent-form', { decision: 'deny' })
  t.is(error(denied), 'access_denied')

  const again = await rp.begin(browser)
  const forged = { decision: 'allow', scope: 'openid eduinfo', missingOIDCScope: 'eduinfo' }
  const back = await browser.submit(again, 'consent-form', forged)
  t.true(arrivedAt(rp, back), back.html)
  const { body } = await rp.redeem(back.url)
  t.is(body.scope, 'openid profile email')
  t.is((await rp.get('/eduinfo/v1', body.access_token)).status, 403)

  t.true(arrivedAt(rp, await rp.begin(browser)), 'remembered in this session')
  const elsewhere = openBrowser()
  const login = await rp.begin(elsewhere)
  const { account, password } = person
  t.true(
    arrivedAt(rp, await elsewhere.submit(login, 'local-form', { account, password })),
    'and in the next',
  )
  const more = await rp.begin(browser, { scope: 'openid profile email eduinfo' })
  t.is(more.url.pathname.split('/')[1], 'interaction', 'more is asked for again')
})

test('signing out asks first, ends the session and goes back to the app', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ postLogoutRedirectUris: ['https://app.example/bye'] })
  const { browser, back } = await signIn(world, rp)
  const { body } = await rp.redeem(back.url)
  const address = `${world.issuer}/session/end?${new URLSearchParams({
    id_token_hint: body.id_token,
    post_logout_redirect_uri: 'https://app.example/bye',
    state: 's1',
  })}`
  const page = await browser.open(address)
  t.is(page.status, 200)
  t.true(arrivedAt(rp, await rp.begin(browser, { prompt: 'none' })), 'a GET signs nobody out')
  t.truthy((await rp.redeem((await rp.begin(browser, { prompt: 'none' })).url)).body.id_token)

  const confirm = await browser.open(address)
  const bye = await browser.submit(confirm, 'sign-out-form', { logout: 'yes' })
  t.is(bye.url.href, 'https://app.example/bye?state=s1')
  t.is(error(await rp.begin(browser, { prompt: 'none' })), 'login_required')
  t.is((await rp.get('/me', body.access_token)).status, 401, 'session-bound tokens end with it')

  const elsewhere = await browser.open(
    `${world.issuer}/session/end?post_logout_redirect_uri=https://evil.example/`,
  )
  t.is(elsewhere.url.origin, world.issuer)
})

test('a session is new after each sign-in: a planted cookie is worth nothing', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { browser, person } = await signIn(world, rp)
  const session = async () =>
    (await browser.jar.getCookies(world.issuer)).find(({ key }) => /^citygate_\d+$/.test(key))
      ?.value
  const before = await session()
  const page = await rp.begin(browser, { prompt: 'login' })
  const { account, password } = person
  await browser.submit(page, 'local-form', { account, password })
  t.truthy(before)
  t.not(await session(), before)
})

test('the member page shows who she is, and signs in by itself when nobody is', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  const browser = openBrowser()
  const page = await browser.open(`${world.issuer}/account`)
  t.is(page.url.pathname.split('/')[1], 'interaction')
  const { account, password } = person
  const back = await browser.submit(page, 'local-form', { account, password })
  t.is(back.url.pathname, '/account')
  t.true(back.html.includes(person.name) && back.html.includes(person.account))
})

test('ten apps that sign in through one session at the same moment all get working tokens', async (t) => {
  const world = await buildWorld(t)
  const first = await world.buildApp()
  const apps = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      world.buildApp({ redirectUris: [`https://app${i}.example/callback`] }),
    ),
  )
  const { browser } = await signIn(world, first)
  const backs = await Promise.all(apps.map((rp) => rp.begin(browser, { prompt: 'none' })))
  const replies = await Promise.all(apps.map((rp, i) => rp.redeem(backs[i]?.url ?? new URL('x:'))))
  t.deepEqual(
    replies.map(({ status }) => status),
    apps.map(() => 200),
  )
  const infos = await Promise.all(
    apps.map((rp, i) => rp.get('/me', replies[i]?.body.access_token ?? '')),
  )
  t.deepEqual(
    infos.map(({ status }) => status),
    apps.map(() => 200),
  )
})

test('an app that asks for more later gets it: our own at once, a stranger after consent', async (t) => {
  const world = await buildWorld(t)
  const own = await world.buildApp()
  const stranger = await world.buildApp({
    firstParty: false,
    redirectUris: ['https://b.example/callback'],
  })
  const { browser } = await signIn(world, own, { scope: 'openid' })
  const wider = await own.begin(browser, { scope: 'openid email' })
  t.is((await own.redeem(wider.url)).body.scope, 'openid email')

  const first = await stranger.begin(browser, { scope: 'openid' })
  const before = await stranger.redeem(
    (await browser.submit(first, 'consent-form', { decision: 'allow' })).url,
  )
  const more = await stranger.begin(browser, { scope: 'openid email' })
  const back = await browser.submit(more, 'consent-form', { decision: 'allow' })
  t.true(arrivedAt(stranger, back), back.html)
  t.is((await stranger.redeem(back.url)).body.scope, 'openid email')
  t.is((await stranger.get('/me', before.body.access_token)).status, 200, 'what it had goes on')
})
