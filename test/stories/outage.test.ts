/** One county is switched off and back, another one hangs, while people of a third sign in all the time. */
import test from 'ava'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { stopBeforeCallback } from '../helpers/upstreams.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const options = {
  sandbox: true,
  hurries: true,
  limits: { sources: { departures_per_minute: 10_000, requests_per_minute: 100_000 } },
} as const

/** In one process, `hlc` people sign in over and over; how long each took. */
async function signIns(rp: RelyingParty, count: number): Promise<number[]> {
  const took: number[] = []
  const one = async () => {
    while (took.length < count) {
      const began = performance.now()
      const browser = openBrowser()
      const page = await rp.begin(browser)
      const atCounty = await browser.submit(page, 'county-form', { connector: 'hlc' })
      const typed = { account: 'hlctest', password: 'hlctest' }
      const back = await browser.submit(atCounty, 'county-login', typed)
      if (!arrivedAt(rp, back)) throw new Error(`${back.status} at ${back.url.pathname}`)
      took.push(performance.now() - began)
    }
  }
  await Promise.all([one(), one(), one()])
  return took
}

const ofSorted = (share: number) => (list: number[]) =>
  list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? 0
const median = ofSorted(0.5)
const p99 = ofSorted(0.99)
const inWords = (list: number[]) =>
  `median ${Math.round(median(list))}, p99 ${Math.round(p99(list))} ms`

/** Somebody on the way back from the county. */
async function comeFrom(county: string, rp: RelyingParty, browser: Browser) {
  const page = await rp.begin(browser)
  return stopBeforeCallback(
    browser,
    await browser.submit(page, 'county-form', { connector: county }),
  )
}

async function halfway(rp: RelyingParty, county: string, people: number) {
  const browsers = Array.from({ length: people }, () => openBrowser())
  const callbacks = await Promise.all(browsers.map((browser) => comeFrom(county, rp, browser)))
  return () => Promise.all(browsers.map((browser, index) => browser.open(callbacks[index] ?? '')))
}

/** Somebody chooses the county: where that leads, and how long it took. */
async function choose(rp: RelyingParty, county: string) {
  const browser = openBrowser()
  const page = await rp.begin(browser, { ui_locales: 'zh-TW', state: 'kept' })
  const began = performance.now()
  const next = await browser.submit(page, 'county-form', { connector: county })
  return { browser, page: next, took: performance.now() - began }
}

const standing = (world: World, county: string) => world.house.upstreamHealth.find(county)?.state
const waysOn = (page: Page) => page.document.querySelectorAll('[id^=next-]').map(({ id }) => id)

test('one county goes away and another hangs: their people are told, a third one’s notice nothing', async (t) => {
  let skipped = 0
  const world = await buildWorld(t, { ...options, now: () => Date.now() + skipped })
  const rp = await world.buildApp()
  const { account, password } = await world.buildPerson()
  await signIns(rp, 3)
  const openCallbacks = await halfway(rp, 'ntpc', 3)
  const openHanging = await halfway(rp, 'tc', 6)
  const crowd = () => Promise.all(Array.from({ length: 8 }, () => choose(rp, 'ntpc')))
  // The same crowds are about before and after: what differs is how the counties fare.
  const [healthy, there] = await Promise.all([signIns(rp, 8), crowd()])
  // What one of a crowd waits for on this machine, and for nobody else.
  const usual = p99(there.map(({ took }) => took))

  await world.switchCounty('tc', 'slow')
  const began = performance.now()
  const hanging = openHanging().then((pages) => ({ pages, took: performance.now() - began }))
  await world.switchCounty('ntpc', 'down')
  const failed = await openCallbacks()
  t.true(failed.every(({ status }) => status >= 502))
  t.is(standing(world, 'ntpc'), 'down')
  t.is(standing(world, 'tc'), undefined, 'six hang there')
  const { used, waiting } = world.house.store.pool()
  t.deepEqual({ used, waiting }, { used: 0, waiting: 0 }, 'no connection is held meanwhile')

  // The one who comes first is the trial.
  await choose(rp, 'ntpc')
  const [others, away] = await Promise.all([signIns(rp, 8), crowd()])
  t.true(away.every(({ page }) => page.status === 503))
  const [first] = away
  if (!first) return t.fail()
  t.regex(first.page.document.querySelector('#problem-title')?.text ?? '', /新北市\s*目前無法連線/)
  t.is(first.page.headers.get('retry-after'), '15')
  t.deepEqual(waysOn(first.page).slice(0, 1), ['next-title'])
  t.true(waysOn(first.page).indexOf('next-local') < waysOn(first.page).indexOf('next-other-county'))
  const times = away.map(({ took }) => took)
  t.log(`hlc while all is well: ${inWords(healthy)}`)
  t.log(`hlc while ntpc is down and six hang at tc: ${inWords(others)}`)
  t.log(`ntpc’s people are told: ${inWords(times)}`)
  t.true(median(others) < 3 * median(healthy) + 100, 'nobody else waits')
  t.true(p99(times) < 1_500 + 2 * usual, 'nobody waits for it')

  // The other way in.
  const href = first.page.document.querySelector('#next-local')?.getAttribute('href') ?? ''
  const local = await first.browser.open(new URL(href, world.issuer).href)
  t.regex(local.document.querySelector('#connector option[value=ntpc]')?.text ?? '', /目前無法連線/)
  const back = await first.browser.submit(local, 'local-form', { account, password })
  t.true(arrivedAt(rp, back))
  t.is(back.url.searchParams.get('state'), 'kept')

  const { pages, took } = await hanging
  t.true(pages.every(({ status }) => status === 504 || status === 503))
  t.true(took < 6_000 + 4 * usual, `${took} ms, usually ${usual}`)
  t.is(standing(world, 'tc'), 'down')
  await world.switchCounty('tc', 'down')
  await choose(rp, 'tc')
  const tc = await choose(rp, 'tc')
  t.is(tc.page.status, 503)
  t.true(tc.took < 700 + 2 * usual, `${tc.took} ms, usually ${usual}`)

  await world.switchCounty('ntpc', 'ok')
  t.is((await choose(rp, 'ntpc')).page.status, 503, 'whose turn to try it is not yet')
  skipped += 15_000
  const again = await Promise.all(Array.from({ length: 5 }, () => choose(rp, 'ntpc')))
  t.true(
    again.some(({ page }) => page.url.origin === world.counties),
    'one tries, and is there',
  )
  t.is(standing(world, 'ntpc'), 'ok')
  t.is((await choose(rp, 'ntpc')).page.url.origin, world.counties, 'and so is everybody after')
  const log = world.log.map((line) => JSON.parse(line))
  const told = (words: string) =>
    log.filter(({ msg, connector }) => msg === words && connector === 'ntpc').length
  t.is(told('upstream is down'), 1)
  t.is(told('upstream answers'), 1)
})
