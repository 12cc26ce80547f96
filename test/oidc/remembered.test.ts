import test, { type ExecutionContext } from 'ava'
import { listSessions } from '#oidc/sessions.ts'
import { openDatabase } from '#store/database.ts'
import { type Browser, openBrowser } from '../helpers/browser.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { buildWorld, type World } from '../helpers/world.ts'

type Person = Awaited<ReturnType<World['buildPerson']>>

/** Signs in with the box ticked or not, and gives the session cookie's line as the browser got it. */
async function signIn(
  t: ExecutionContext,
  { rp, browser, person }: { rp: RelyingParty; browser: Browser; person: Person },
  ticked: boolean,
  more = {},
) {
  const page = await rp.begin(browser, more)
  t.is(page.document.querySelector('#local-remember')?.getAttribute('checked'), undefined)
  const { account, password } = person
  const fields = { account, password, ...(ticked ? { remember: 'yes' } : {}) }
  t.true(arrivedAt(rp, await browser.submit(page, 'local-form', fields)))
}

async function sessionCookie({ house, issuer }: World, { jar }: Browser) {
  const cookies = await jar.getCookies(issuer)
  return cookies.find(({ key }) => key === house.cookies.session)
}

/** Seconds the session's row is still kept. */
async function rowSeconds({ house }: World, accountId: string): Promise<number> {
  const knex = openDatabase(house.config.database)
  const rows = await knex('oidc_payload').where({ account_id: accountId, model: 'Session' })
  await knex.destroy()
  return Number(rows[0].expires_at) - Date.now() / 1000
}

/** As if all that was so long ago: the provider's own clock cannot be moved. */
async function letPass({ house }: World, howLong: number): Promise<void> {
  const knex = openDatabase(house.config.database)
  for (const { id, payload, expires_at } of await knex('oidc_payload').where({
    model: 'Session',
  })) {
    const session = JSON.parse(payload)
    for (const moment of ['iat', 'exp', 'loginTs']) if (session[moment]) session[moment] -= howLong
    const changes = { payload: JSON.stringify(session), expires_at: Number(expires_at) - howLong }
    await knex('oidc_payload').where({ id }).update(changes)
  }
  await knex.destroy()
}

const signedInSilently = async (rp: RelyingParty, browser: Browser) =>
  (await browser.open(rp.authorize({ prompt: 'none' }))).url.searchParams.has('code')

const days = (n: number) => n * 24 * 60 * 60

async function setting(t: ExecutionContext, session = {}) {
  const world = await buildWorld(t, { session })
  const rp = await world.buildApp()
  return { world, rp, browser: openBrowser(), person: await world.buildPerson() }
}

test('who ticks 保持登入狀態 gets a cookie that outlives the window, and a session of fourteen days', async (t) => {
  const here = await setting(t)
  await signIn(t, here, true)
  const cookie = await sessionCookie(here.world, here.browser)
  t.true(cookie?.expires instanceof Date)
  const left = (Number(cookie?.expires) - Date.now()) / 1000
  t.true(Math.abs(left - days(14)) < 60, `${left}`)
  const row = await rowSeconds(here.world, here.person.sub)
  t.true(Math.abs(row - days(14)) < 60, `${row}`)
})

test('who does not tick it is signed out with the window, or after half an hour', async (t) => {
  const here = await setting(t)
  await signIn(t, here, false)
  t.is((await sessionCookie(here.world, here.browser))?.expires, 'Infinity')
  const row = await rowSeconds(here.world, here.person.sub)
  t.true(Math.abs(row - 30 * 60) < 60, `${row}`)
})

test('past the idle limit the one who ticked is still signed in, the other is not', async (t) => {
  const kept = await setting(t)
  const other = { ...kept, browser: openBrowser() }
  await signIn(t, kept, true)
  await signIn(t, other, false)
  await letPass(kept.world, 29 * 60)
  t.true(await signedInSilently(kept.rp, other.browser))
  await letPass(kept.world, 31 * 60)
  t.true(await signedInSilently(kept.rp, kept.browser))
  t.false(await signedInSilently(kept.rp, other.browser))
})

test('visits do not make a kept session longer than it was to be', async (t) => {
  const here = await setting(t)
  await signIn(t, here, true)
  for (let day = 1; day <= 13; day++) {
    await letPass(here.world, days(1))
    t.true(await signedInSilently(here.rp, here.browser), `day ${day}`)
  }
  await letPass(here.world, days(1) + 60)
  t.false(await signedInSilently(here.rp, here.browser))
})

test('the last sign-in counts: ticking later keeps the session, not ticking later lets it go', async (t) => {
  const here = await setting(t)
  const { world, browser } = here
  await signIn(t, here, false)
  await signIn(t, here, true, { prompt: 'login' })
  t.true((await sessionCookie(world, browser))?.expires instanceof Date)
  await signIn(t, here, false, { prompt: 'login' })
  t.is((await sessionCookie(world, browser))?.expires, 'Infinity')
})

test('where the operator does not offer it there is no box, and who posts it all the same gets nothing by it', async (t) => {
  const here = await setting(t, { remember: false })
  const page = await here.rp.begin(openBrowser())
  t.is(page.document.querySelector('[name=remember]'), null)
  await signIn(t, here, true)
  t.is((await sessionCookie(here.world, here.browser))?.expires, 'Infinity')
  const row = await rowSeconds(here.world, here.person.sub)
  t.true(row <= 30 * 60, `${row}`)
})

test('a slip keeps the tick', async (t) => {
  const { rp, browser, person } = await setting(t)
  const page = await rp.begin(browser)
  const wrong = await browser.submit(page, 'local-form', {
    account: person.account,
    password: 'wrong',
    remember: 'yes',
  })
  t.is(wrong.status, 422)
  t.true('checked' in (wrong.document.querySelector('#local-remember')?.attributes ?? {}))
})

test('a session is listed with when, from where and for which apps', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const person = await world.buildPerson()
  const here = { world, rp, person, browser: openBrowser({ 'user-agent': 'Firefox at home' }) }
  await signIn(t, here, true)
  await signIn(t, { ...here, browser: openBrowser() }, false)
  const at = Math.floor(Date.now() / 1000)
  const sessions = await listSessions(world.house.store, person.sub, at)
  t.is(sessions.length, 2)
  const home = sessions.find(({ agent }) => agent === 'Firefox at home')
  t.like(home, { address: '127.0.0.1', clients: [rp.clientId], amr: ['pwd'] })
  t.true(Math.abs((home?.signedInAt ?? 0) - at) < 10)
  t.true(Math.abs((home?.lastSeenAt ?? 0) - at) < 10)
  t.deepEqual(await listSessions(world.house.store, person.sub, at + days(15)), [])
})
