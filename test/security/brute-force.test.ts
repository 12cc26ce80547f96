/** Cases 76, 77, 79 and 80 of the security list: guessing passwords. */
import test from 'ava'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import {
  attacker,
  countHashes,
  countHashesOfCrowd,
  type Door,
  home,
  openClock,
  openDoor,
  proxied,
  retryAfter,
  words,
} from '../helpers/knocking.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { buildWorld } from '../helpers/world.ts'

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
  const hashes = countHashesOfCrowd([world], 5)
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
  const hashes = countHashesOfCrowd([world], 5)
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
  const hashes = countHashesOfCrowd([one, two], 5)
  const elsewhere = { ...rp, authorize: () => rp.authorize().replace(one.issuer, two.issuer) }
  const doors = [await openDoor(rp), await openDoor(elsewhere)]
  await flood(guesses(200), (guess, i) => (doors[i % 2] as Door).knock(person.account, guess))
  t.is(hashes(), 5)
})
