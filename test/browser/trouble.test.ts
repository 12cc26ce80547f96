/** What goes wrong in real browsers: the back button, broken counties, several tabs, no cookies. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import { openDatabase } from '#store/database.ts'
import { openTown, screens, signInAt, type Town, visit } from '../helpers/chromium-town.ts'

let town: Town
test.before(async () => {
  town = await openTown()
})
test.after.always(() => town?.close())

async function begin(page: Page) {
  await page.goto(town.world.demo)
  await page.click('#sign-in')
  await page.waitForSelector('#county-form')
}

async function isIn(t: ExecutionContext, page: Page) {
  await page.waitForSelector('#claims')
  t.is(page.url(), `${town.world.demo}/`)
}

test('the back button leads to pages that say what happened, never to a dead end', async (t) => {
  const page = await visit(t, town)
  await begin(page)
  await signInAt(page, 'ntpc')
  await isIn(t, page)
  await page.goBack()
  t.true(page.url().startsWith(town.world.counties))
  await page.goBack()
  await page.waitForSelector('#problem-ref')
  t.is(await page.innerText('#problem-title'), '這次登入已經完成')
  await page.click('#next-back-to-app')
  await isIn(t, page)
})

test('of two tabs each comes back to where it started', async (t) => {
  const first = await visit(t, town)
  const second = await first.context().newPage()
  await begin(first)
  await begin(second)
  await signInAt(first, 'kh')
  await isIn(t, first)
  await signInAt(second, 'ylc')
  await isIn(t, second)
  t.is(await second.innerText('#name'), '廖怡君')
})

// Each county is broken by one test only: they run side by side.
const broken = { county: 'tc', name: '臺中市' }

test.serial(
  'a county that is down: the page says which, gives a reference, and four ways on that work',
  async (t) => {
    const { world } = town
    const { account, password } = await world.buildPerson()
    const page = await visit(t, town, { viewport: screens.phone })
    const tryIt = async () => {
      await begin(page)
      await page.selectOption('#connector', broken.county)
      await page.click('#county-submit')
      await page.waitForSelector('#problem-ref')
    }
    await world.switchCounty(broken.county, 'down')
    await tryIt()
    t.is(await page.innerText('#problem-title'), `目前連不上${broken.name}`)
    const reference = await page.innerText('#problem-ref')
    t.true(world.log.some((line) => line.includes(reference) && line.includes('unreachable')))

    await page.click('#next-other-county')
    await page.selectOption('#connector', broken.county)
    await page.click('#county-submit')
    await page.waitForSelector('#problem-ref')
    t.not(await page.innerText('#problem-ref'), reference)
    await page.click('#next-back-to-app')
    await page.waitForSelector('#failure')
    t.is(await page.innerText('#failure'), 'access_denied')

    await tryIt()
    await world.switchCounty(broken.county, 'ok')
    await page.click('#next-again-county')
    await page.waitForSelector('#county-login')
    await page.click('#county-cancel')
    await page.waitForSelector('#problem-ref')
    t.is(await page.innerText('#problem-title'), `${broken.name}沒有完成登入`)

    await page.click('#next-local')
    await page.fill('#account', account)
    await page.fill('#password', password)
    await page.click('#local-submit')
    await isIn(t, page)
  },
)

test.serial('a county that fails after she signed in there, without JavaScript', async (t) => {
  const { world } = town
  const page = await visit(t, town, { javaScriptEnabled: false })
  await world.switchCounty('hlc', 'down-token')
  await begin(page)
  await signInAt(page, 'hlc')
  await page.waitForSelector('#problem-ref')
  t.true(page.url().startsWith(`${world.issuer}/upstream/hlc/callback`))
  await world.switchCounty('hlc', 'ok')
  await page.click('#next-again-county')
  await isIn(t, page)
  t.is(await page.innerText('#name'), '潘正雄')
})

test('who may not come in is told so, and the way back to the app is open', async (t) => {
  const { world } = town
  const { account, password, sub } = await world.buildPerson({ account: 'barred@mail.edu.tw' })
  // Suspending is staff's, in a later part: here the row itself is changed.
  const knex = openDatabase(world.house.config.database)
  await knex('account').where({ id: sub }).update({ status: 'suspended' })
  await knex.destroy()
  const page = await visit(t, town)
  await begin(page)
  await page.fill('#account', account)
  await page.fill('#password', password)
  await page.click('#local-submit')
  t.is(await page.innerText('#problem-title'), '這個帳號已經停用')
  await page.click('#next-back-to-app')
  await page.waitForSelector('#failure')
})

/** What a browser that takes no cookies is to us: no answer of ours comes with one. */
async function openCookieless(t: ExecutionContext): Promise<string> {
  const proxy = createServer((asked, answer) => {
    const { url = '', method, headers } = asked
    const passed = request(url, { method, headers }, (given) => {
      const { 'set-cookie': _, ...rest } = given.headers
      answer.writeHead(given.statusCode ?? 502, rest)
      given.pipe(answer)
    })
    asked.pipe(passed)
  })
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
  t.teardown(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}

test('a browser that keeps no cookies is told so, in one page, without a circle', async (t) => {
  // Chromium does not ask proxies for its own machine unless told to.
  const proxy = { server: await openCookieless(t), bypass: '<-loopback>' }
  const page = await visit(t, town, { proxy })
  await page.goto(town.world.demo)
  await page.click('#sign-in')
  await page.waitForSelector('#problem-ref')
  t.is(await page.innerText('#problem-title'), '瀏覽器沒有保存 Cookie')
})

test('an address out of nowhere is answered with a page and a way on', async (t) => {
  const page = await visit(t, town)
  for (const path of [
    '/nowhere',
    '/interaction/nothing',
    '/upstream/ntpc/callback?state=x&code=y',
  ]) {
    const answer = await page.goto(`${town.world.issuer}${path}`)
    t.true((answer?.status() ?? 0) >= 400, path)
    await page.click('#next-home')
    await page.waitForURL(`${town.world.issuer}/`)
  }
})
