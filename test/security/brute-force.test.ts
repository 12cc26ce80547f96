/** Cases 46, 76, 77, 79 and 80 of the security list: guessing passwords, client secrets and device codes. */
import test from 'ava'
import { openDatabase } from '#store/database.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { buildWorld, type World } from '../helpers/world.ts'

/** The test's own machine is the proxy: every address in the world may come through it. */
const proxied = { TRUSTED_PROXIES: '127.0.0.0/8, ::1' }
const home = '192.0.2.10'
const attacker = '198.51.100.66'

/** A clock that stands still until the test moves it. */
function openClock() {
  let at = Date.now()
  return {
    now: () => at,
    pass(seconds: number) {
      at += seconds * 1000
    },
  }
}

/** How many passwords were looked at. */
function countHashes({ house: { passwords } }: World): () => number {
  let count = 0
  const { verify } = passwords
  passwords.verify = (...given) => {
    count++
    return verify(...given)
  }
  return () => count
}

type Door = {
  browser: Browser
  page: Page
  /** Types a name and a password, as if from that address. */
  knock(account: string, password: string, from?: string): Promise<Page>
}

async function openDoor(rp: RelyingParty, browser = openBrowser(), from?: string): Promise<Door> {
  const page = await browser.open(rp.authorize(), {
    headers: from ? { 'x-forwarded-for': from } : {},
  })
  const form = page.document.querySelector('#local-form')
  const token = form?.querySelector('input[name=form_token]')?.getAttribute('value') ?? ''
  const action = new URL(form?.getAttribute('action') ?? '', page.url).href
  return {
    browser,
    page,
    knock: (account, password, from) =>
      browser.open(action, {
        method: 'POST',
        body: new URLSearchParams({ form_token: token, account, password }),
        headers: { 'sec-fetch-site': 'same-origin', ...(from ? { 'x-forwarded-for': from } : {}) },
      }),
  }
}

const retryAfter = ({ headers }: { headers: Headers }) => Number(headers.get('retry-after') ?? 0)

/** What the page says, without what differs between any two pages. */
const words = ({ document }: Page) =>
  document
    .querySelector('main')
    ?.textContent.replace(/\s+/g, ' ')
    .replace(/[A-Z0-9]{10}/g, 'REF')

/** Sends all of it, some at a time. */
async function flood<T>(items: T[], send: (item: T, index: number) => Promise<Page>) {
  const pages: Page[] = []
  for (let i = 0; i < items.length; i += 25) {
    pages.push(...(await Promise.all(items.slice(i, i + 25).map((one, j) => send(one, i + j)))))
  }
  return pages
}

const guesses = (count: number) => Array.from({ length: count }, (_, i) => `guess number ${i}`)

test.serial(
  'wrong passwords slow a guesser down, then lock him out for a quarter of an hour; the right one clears',
  async (t) => {
    const clock = openClock()
    const world = await buildWorld(t, { now: clock.now })
    const rp = await world.buildApp()
    const person = await world.buildPerson()
    const hashes = countHashes(world)
    const { knock } = await openDoor(rp)
    const wrong = (n: number) => knock(person.account, `wrong ${n}`)

    for (const [n, wait] of [0, 0, 2, 4].entries()) {
      const page = await wrong(n)
      t.is(page.status, 422, `${n}`)
      t.is(retryAfter(page), wait, `${n}`)
      t.regex(words(page) ?? '', /帳號或密碼不正確/)
      if (wait === 0) continue
      const early = await knock(person.account, person.password)
      t.is(early.status, 429, 'not even the right one is looked at')
      t.true(retryAfter(early) > 0)
      t.is(early.document.querySelector('#account')?.getAttribute('value'), person.account)
      clock.pass(wait)
    }
    t.is(hashes(), 4)
    const fifth = await wrong(5)
    t.is(retryAfter(fifth), 900)
    t.regex(words(fifth) ?? '', /15 分鐘/)
    clock.pass(890)
    t.is((await wrong(6)).status, 429)
    t.is(hashes(), 5)
    clock.pass(11)
    t.is((await wrong(7)).status, 422)
    t.true(arrivedAt(rp, await knock(person.account, person.password)))

    const again = await openDoor(rp, openBrowser())
    for (const n of [8, 9]) t.is(retryAfter(await again.knock(person.account, `${n}`)), 0)
  },
)

test.serial('a thousand guesses at once from one address: five are looked at', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  const hashes = countHashes(world)
  const { knock } = await openDoor(await world.buildApp())
  const pages = await flood(guesses(1000), (guess) => knock(person.account, guess))
  t.is(hashes(), 5)
  t.is(pages.filter(({ status }) => status === 422).length, 5)
  const refused = pages.filter(({ status }) => status === 429)
  t.is(refused.length, 995)
  t.true(refused.every((page) => retryAfter(page) > 0))
})

test.serial(
  'a thousand guesses from fifty addresses stop at a hundred, and lock the owner out neither at home nor at school',
  async (t) => {
    const clock = openClock()
    const world = await buildWorld(t, { env: proxied, now: clock.now })
    const rp = await world.buildApp()
    const person = await world.buildPerson()
    const own = await openDoor(rp, openBrowser(), home)
    t.true(arrivedAt(rp, await own.knock(person.account, person.password, home)))

    const hashes = countHashes(world)
    const { knock } = await openDoor(rp)
    const addresses = [home, ...Array.from({ length: 49 }, (_, i) => `198.51.100.${i + 1}`)]
    const pages = await flood(guesses(1000), (guess, i) =>
      knock(person.account, guess, addresses[i % 50]),
    )
    t.is(hashes(), 100)
    t.is(pages.filter(({ status }) => status === 429).length, 900)
    t.is(world.log.filter((line) => line.includes('account under attack')).length, 1)
    t.false(world.log.some((line) => line.includes(person.account) || line.includes(home)))

    const stranger = await knock(person.account, person.password, '203.0.113.5')
    t.is(stranger.status, 429, 'nobody new, whatever he types')
    t.regex(words(stranger) ?? '', /曾經登入過的瀏覽器/)
    t.regex(words(stranger) ?? '', /縣市帳號/)
    t.true(retryAfter(stranger) > 0 && retryAfter(stranger) <= 3600)
    t.is(words(await knock('nobody@mail.edu.tw', 'x', '203.0.113.5'))?.includes('曾經'), false)

    const { page } = await openDoor(rp, own.browser, home)
    t.true(arrivedAt(rp, page), 'whoever is signed in stays so')
    const anew = await doorAt(await rp.begin(own.browser, { prompt: 'login' }), own.browser)
    t.true(arrivedAt(rp, await anew(person.account, person.password)), 'her own browser opens')
    clock.pass(3600)
    t.true(arrivedAt(rp, await knock(person.account, person.password, '203.0.113.5')))
  },
)

test.serial(
  'her own browser opens while others guess beside her, and is itself no place to guess from',
  async (t) => {
    const world = await buildWorld(t)
    const rp = await world.buildApp()
    const person = await world.buildPerson()
    const browser = openBrowser()
    const first = await openDoor(rp, browser)
    t.true(arrivedAt(rp, await first.knock(person.account, person.password)))

    const pupil = await openDoor(rp)
    await flood(guesses(6), (guess) => pupil.knock(person.account, guess))
    t.is((await pupil.knock(person.account, person.password)).status, 429)

    const fresh = { prompt: 'login' }
    const second = await doorAt(await rp.begin(browser, fresh), browser)
    t.true(
      arrivedAt(rp, await second(person.account, person.password)),
      'same address, own browser',
    )
    const third = await doorAt(await rp.begin(browser, fresh), browser)
    const pages = await flood(guesses(6), (guess) => third(person.account, guess))
    t.is(pages.filter(({ status }) => status === 422).length, 5)
    t.is((await third(person.account, person.password)).status, 429)
    t.not((await third('mei@mail.edu.tw', 'x')).status, 429, 'known for her name only')

    const thief = openBrowser()
    for (const { key, value } of await browser.jar.getCookies(world.issuer)) {
      if (key.endsWith('_known')) await thief.jar.setCookie(`${key}=${value}`, world.issuer)
    }
    const stolen = await openDoor(rp, thief)
    t.is((await stolen.knock(person.account, person.password)).status, 429, 'bound to its browser')
  },
)

async function doorAt(page: Page, browser: Browser): Promise<Door['knock']> {
  return (account, password) => browser.submit(page, 'local-form', { account, password })
}

test.serial('a name nobody has is answered like one somebody has, try after try', async (t) => {
  const clock = openClock()
  const world = await buildWorld(t, { env: proxied, now: clock.now })
  const rp = await world.buildApp()
  const person = await world.buildPerson()
  const hashes = countHashes(world)
  const story = async (account: string, from: string) => {
    const { knock } = await openDoor(rp)
    const told: unknown[] = []
    const before = hashes()
    for (let n = 0; n < 8; n++) {
      const page = await knock(account, `wrong ${n}`, from)
      const cookies = page.headers.getSetCookie().length
      told.push([page.status, retryAfter(page), cookies, words(page)])
      if (n < 5) clock.pass(4)
    }
    return [...told, hashes() - before]
  }
  t.deepEqual(await story('nobody@mail.edu.tw', home), await story(person.account, attacker))
})

test.serial('a name is counted once however it is spelled', async (t) => {
  const world = await buildWorld(t, { now: openClock().now })
  await world.buildPerson()
  const { knock } = await openDoor(await world.buildApp())
  const spellings = ['wang', 'WANG@mail.edu.tw', ' ｗang ', 'wang@MAIL.EDU.TW', 'Wang']
  for (const name of spellings.slice(0, 2)) t.is((await knock(name, 'x')).status, 422)
  t.is(retryAfter(await knock(spellings[2] ?? '', 'x')), 2)
  for (const name of spellings) t.is((await knock(name, 'x')).status, 429, name)
})

test.serial(
  'one password on many names stops at twenty a minute, and only where it came from',
  async (t) => {
    const clock = openClock()
    const world = await buildWorld(t, {
      env: proxied,
      now: clock.now,
      limits: { sources: { shared: ['203.0.113.0/24'] } },
    })
    const rp = await world.buildApp()
    const person = await world.buildPerson()
    const hashes = countHashes(world)
    const { knock } = await openDoor(rp)
    const spray = (from: string) => flood(guesses(60), (name) => knock(name, 'Passw0rd!', from))
    const pages = await spray('2001:db8:1:2::1')
    t.is(hashes(), 20)
    const refused = pages.filter(({ status }) => status === 429)
    t.is(refused.length, 40)
    t.true(refused.every((page) => retryAfter(page) > 0 && retryAfter(page) <= 60))
    t.regex(words(refused[0] as Page) ?? '', /您所在的網路/)
    t.is((await knock('somebody else', 'x', '2001:db8:1:2:ffff::2')).status, 429, 'one /64 is one')

    t.true(
      (await spray('203.0.113.7')).every(({ status }) => status === 422),
      'a school is many',
    )
    t.true(arrivedAt(rp, await knock(person.account, person.password, home)))
    clock.pass(61)
    const { knock: later } = await openDoor(rp)
    t.is((await later('yet another', 'x', '2001:db8:1:2::1')).status, 422)
  },
)

test.serial('an address that is made up changes no limit', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  const hashes = countHashes(world)
  const { knock } = await openDoor(await world.buildApp())
  const pages = await flood(guesses(50), (guess, i) =>
    knock(person.account, guess, `198.51.100.${i}`),
  )
  t.is(hashes(), 5)
  t.is(pages.filter(({ status }) => status === 429).length, 45)
})

test.serial('two processes on one database count together', async (t) => {
  const one = await buildWorld(t)
  const two = await buildWorld(t, { dataDir: one.dataDir })
  const person = await one.buildPerson()
  const rp = await one.buildApp()
  const hashes = [countHashes(one), countHashes(two)]
  const elsewhere = { ...rp, authorize: () => rp.authorize().replace(one.issuer, two.issuer) }
  const doors = [await openDoor(rp), await openDoor(elsewhere)]
  await flood(guesses(200), (guess, i) => (doors[i % 2] as Door).knock(person.account, guess))
  t.is(
    hashes.reduce((sum, count) => sum + count(), 0),
    5,
  )
})

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
