/** Case 46 of the security list and its neighbours: guessing client secrets and device codes, and asking too much. */
import test from 'ava'
import { openDatabase } from '#store/database.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import {
  attacker,
  countHashes,
  home,
  openClock,
  openDoor,
  proxied,
  retryAfter,
  words,
} from '../helpers/knocking.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const wrongSecret = ({ clientId }: RelyingParty, from = home) => ({
  authorization: `Basic ${Buffer.from(`${clientId}:wrong`).toString('base64')}`,
  'x-forwarded-for': from,
})

const rightSecret = ({ clientId, clientSecret }: RelyingParty, from = home) => ({
  authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
  'x-forwarded-for': from,
})

const machine = { grant_type: 'client_credentials' }

test.serial(
  'wrong client secrets are held after ten a minute, for that client at that address',
  async (t) => {
    const clock = openClock()
    const world = await buildWorld(t, { env: proxied, now: clock.now })
    const rp = await world.buildApp({ type: 'machine' })
    const other = await world.buildApp({ type: 'machine' })
    for (let n = 0; n < 10; n++) t.is((await rp.token(machine, wrongSecret(rp))).status, 401)
    for (const headers of [wrongSecret(rp), rightSecret(rp)]) {
      const held = await rp.token(machine, headers)
      t.is(held.status, 429)
      t.is(held.body.error, 'temporarily_unavailable')
      t.true(retryAfter(held) > 0 && retryAfter(held) <= 60)
      t.is(held.headers.get('cache-control'), 'no-store')
    }
    const introspection = await fetch(`${world.issuer}/token/introspection`, {
      method: 'POST',
      body: new URLSearchParams({ token: 'x' }),
      headers: rightSecret(rp),
    })
    t.is(introspection.status, 429, 'all endpoints ask for the same secret')
    t.is((await rp.token(machine, rightSecret(rp, attacker))).status, 200)
    t.is((await other.token(machine, rightSecret(other))).status, 200)
    clock.pass(61)
    t.is((await rp.token(machine, rightSecret(rp))).status, 200)

    const unknown = { ...rp, clientId: 'nobody' }
    for (let n = 0; n < 10; n++) t.is((await rp.token(machine, wrongSecret(unknown))).status, 401)
    t.is((await rp.token(machine, wrongSecret(unknown))).status, 429)
  },
)

test.serial('wrong secrets are counted by all processes', async (t) => {
  const one = await buildWorld(t)
  const two = await buildWorld(t, { dataDir: one.dataDir })
  const rp = await one.buildApp({ type: 'machine' })
  for (let n = 0; n < 10; n++) await rp.token(machine, wrongSecret(rp))
  const reply = await fetch(`${two.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams(machine),
    headers: wrongSecret(rp),
  })
  t.is(reply.status, 429)
})

test.serial(
  'an app that asks too fast is slowed down, alone, by all processes together, and not by those who know its name',
  async (t) => {
    const clock = openClock()
    const limits = { clients: { requests_per_second: 10 } }
    const one = await buildWorld(t, { now: clock.now, env: proxied, limits })
    const two = await buildWorld(t, { now: clock.now, limits, dataDir: one.dataDir })
    const rp = await one.buildApp({ type: 'machine' })
    const other = await one.buildApp({ type: 'machine' })
    const at = (world: World) => ({
      async token(headers: Record<string, string>) {
        const { status } = await fetch(`${world.issuer}/token`, {
          method: 'POST',
          body: new URLSearchParams(machine),
          headers,
        })
        return status
      },
    })
    for (let n = 0; n < 200; n++) await at(one).token(wrongSecret(rp, `198.51.100.${n % 100}`))

    const replies: number[] = []
    for (let n = 0; n < 150; n++) {
      replies.push(await at(n % 2 ? one : two).token(rightSecret(rp)))
    }
    const served = replies.filter((status) => status === 200).length
    t.true(served >= 95 && served <= 115, `${served} of 100 in ten seconds`)
    const late = await rp.token(machine)
    t.is(late.status, 429)
    t.true(retryAfter(late) > 0 && retryAfter(late) <= 10)
    t.is(late.body.error, 'temporarily_unavailable')
    t.is((await other.token(machine)).status, 200)
    clock.pass(11)
    t.is((await rp.token(machine)).status, 200)
  },
)

test.serial(
  'tokens, sign-ins by the session and authorization requests cost no statement more than before',
  async (t) => {
    const world = await buildWorld(t)
    const rp = await world.buildApp({ type: 'machine' })
    const web = await world.buildApp()
    for (let n = 0; n < 20; n++) {
      t.is((await rp.token(machine)).status, 200)
      t.is((await web.begin(openBrowser())).status, 200)
    }
    t.is(await countersOf(world), 0)
  },
)

/** How many counters there are in the table. */
async function countersOf({ house }: World): Promise<number> {
  const knex = openDatabase(house.store.where)
  try {
    return (await knex('rate_limit')).length
  } finally {
    await knex.destroy()
  }
}

test.serial(
  'a right password costs one statement before and one after, and leaves nothing of the name readable',
  async (t) => {
    const world = await buildWorld(t)
    const rp = await world.buildApp()
    const person = await world.buildPerson()
    const { knock } = await openDoor(rp)
    const names: string[] = []
    const { limits } = world.house.store
    const { hit } = limits
    limits.hit = (hits, at) => {
      names.push(...hits.map(({ key }) => key))
      return hit(hits, at)
    }
    t.true(arrivedAt(rp, await knock(person.account, person.password)))
    t.is(names.length, 6)
    t.deepEqual(names.slice(0, 3).sort(), names.slice(3).sort())
    t.true(names.every((name) => /^[\w-]{43}$/.test(name)))
  },
)

test.serial(
  'where counting is not possible no password is looked at, and apps get their tokens',
  async (t) => {
    const world = await buildWorld(t)
    const rp = await world.buildApp({ type: 'machine' })
    const person = await world.buildPerson()
    const hashes = countHashes(world)
    const { knock } = await openDoor(await world.buildApp())
    const knex = openDatabase(world.house.store.where)
    await knex.schema.renameTable('rate_limit', 'gone')
    t.teardown(() => knex.destroy())
    const page = await knock(person.account, person.password)
    t.is(page.status, 503)
    t.true(retryAfter(page) > 0)
    t.is(hashes(), 0)
    for (let n = 0; n < 60; n++) t.is((await rp.token(machine)).status, 200)
    t.true((await rp.token(machine, wrongSecret(rp))).status >= 500)
    await knex.schema.renameTable('gone', 'rate_limit')
    t.is((await knock(person.account, 'wrong')).status, 422)
  },
)

test.serial(
  'device codes cannot be guessed: ten wrong ones, then a pause; right ones do not count',
  async (t) => {
    const clock = openClock()
    const world = await buildWorld(t, { env: proxied, now: clock.now })
    const tv = await world.buildApp({ type: 'native', device: true, redirectUris: [] })
    const ask = async () => {
      const reply = await fetch(`${world.issuer}/device/auth`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: tv.clientId, scope: 'openid' }),
      })
      return (await reply.json()) as { user_code: string }
    }
    const enter = async (browser: Browser, user_code: string, from = home) => {
      const page = await browser.open(`${world.issuer}/device`)
      const xsrf = page.document.querySelector('input[name=xsrf]')?.getAttribute('value') ?? ''
      return browser.request(`${world.issuer}/device`, {
        method: 'POST',
        body: new URLSearchParams({ xsrf, user_code }),
        headers: { 'x-forwarded-for': from },
      })
    }
    const code = (await ask()).user_code
    const browser = openBrowser()
    for (let n = 0; n < 12; n++) t.is((await enter(browser, code)).status, 200)
    for (let n = 0; n < 10; n++) t.is((await enter(browser, 'BBBB-BBBB')).status, 400)
    const held = await enter(browser, code)
    t.is(held.status, 429)
    t.true(retryAfter(held) > 0 && retryAfter(held) <= 600)
    t.regex(words(held) ?? '', /錯誤的代碼太多次/)
    t.is((await enter(openBrowser(), code)).status, 429, 'another browser there neither')
    t.is((await enter(browser, code, attacker)).status, 429, 'nor the browser elsewhere')
    t.is((await enter(openBrowser(), code, attacker)).status, 200)
    clock.pass(601)
    t.is((await enter(browser, (await ask()).user_code)).status, 200)
  },
)

test.serial('device codes are handed out thirty a minute to one app at one address', async (t) => {
  const world = await buildWorld(t)
  const tv = await world.buildApp({ type: 'native', device: true, redirectUris: [] })
  const replies: Response[] = []
  for (let n = 0; n < 45; n++) {
    replies.push(
      await fetch(`${world.issuer}/device/auth`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: tv.clientId, scope: 'openid' }),
      }),
    )
  }
  const served = replies.filter(({ status }) => status === 200).length
  t.true(served >= 30 && served <= 36, `${served}`)
  t.is(replies.at(-1)?.status, 429)
  t.true(retryAfter(replies.at(-1) as Response) > 0)
})

test.serial(
  'too many requests from one address end on a page, or in JSON for a machine; a school has room',
  async (t) => {
    const world = await buildWorld(t, {
      env: proxied,
      limits: { sources: { requests_per_minute: 20, shared: ['203.0.113.0/24'] } },
    })
    const rp = await world.buildApp()
    const begin = (from: string) =>
      openBrowser().open(rp.authorize(), { headers: { 'x-forwarded-for': from } })
    const pages: Page[] = []
    for (let n = 0; n < 30; n++) pages.push(await begin(home))
    const last = pages.at(-1) as Page
    t.is(last.status, 429)
    t.true(retryAfter(last) > 0 && retryAfter(last) <= 60)
    t.regex(words(last) ?? '', /您的網路送來太多要求/)
    t.true(pages.filter(({ status }) => status === 200).length <= 23)
    const pushed = await fetch(`${world.issuer}/request`, {
      method: 'POST',
      body: new URL(rp.authorize()).searchParams,
      headers: rightSecret(rp),
    })
    t.is(pushed.status, 429)
    t.is(((await pushed.json()) as { error: string }).error, 'temporarily_unavailable')
    for (let n = 0; n < 30; n++) t.is((await begin('203.0.113.4')).status, 200)
  },
)

test.serial(
  'too many departures from one address end on a page that keeps the request and knows other ways',
  async (t) => {
    const world = await buildWorld(t, { limits: { sources: { departures_per_minute: 5 } } })
    const rp = await world.buildApp()
    const person = await world.buildPerson()
    const browser = openBrowser()
    const start = await rp.begin(browser)
    let page = start
    for (let n = 0; n < 9; n++)
      page = await browser.submit(start, 'county-form', { connector: 'ntpc' })
    t.is(page.status, 429)
    t.true(retryAfter(page) > 0)
    t.regex(page.document.querySelector('#problem-kept')?.textContent ?? '', /還在等您/)
    const way = page.document.querySelector('#next-local')?.getAttribute('href') ?? ''
    const local = await browser.open(new URL(way, page.url).href)
    const { account, password } = person
    t.true(arrivedAt(rp, await browser.submit(local, 'local-form', { account, password })))
  },
)
