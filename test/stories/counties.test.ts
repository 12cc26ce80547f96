/** People of the pretend counties with OpenID Connect, from the app to their county and back. */
import test from 'ava'
import { upstreams } from '#sandbox/counties.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { stopBeforeCallback } from '../helpers/upstreams.ts'
import { buildWorld } from '../helpers/world.ts'

const scope = 'openid profile email eduinfo openid2'

/** From our sign-in page to the county's, sign in there, and back to wherever that leads. */
async function comeThrough(
  browser: Browser,
  page: Page,
  county: string,
  account = `${county}test`,
) {
  const atCounty = await browser.submit(page, 'county-form', { connector: county })
  return browser.submit(atCounty, 'county-login', { account, password: account })
}

async function claimsOf(rp: RelyingParty, back: Page) {
  const { status, body } = await rp.redeem(back.url)
  if (status !== 200) throw new Error(JSON.stringify(body))
  const [{ payload }, info, v1, v2] = await Promise.all([
    rp.verify(body.id_token),
    rp.get('/me', body.access_token),
    rp.get('/eduinfo/v1', body.access_token),
    rp.get('/eduinfo/v2', body.access_token),
  ])
  return { payload, info: info.body, v1: v1.body, v2: v2.body, tokens: body }
}

const sandbox = { sandbox: true } as const

const expected = {
  ntpc: {
    name: '林雅雯',
    schoolid: '014598',
    openid2: ['https://openid.ntpc.edu.tw/user/ntpctest'],
  },
  kh: { name: '吳建宏', schoolid: '613698', openid2: undefined },
  ylc: { name: '廖怡君', schoolid: '094698', openid2: undefined },
  hlc: { name: '潘正雄', schoolid: '154698', openid2: ['http://openid2.hlc.edu.tw/hlctest'] },
  tc: { name: '賴欣怡', schoolid: '064698', openid2: ['http://tctest.openid.tc.edu.tw/'] },
}

for (const [county, { name, schoolid, openid2 }] of Object.entries(expected)) {
  test(`a teacher signs in through ${county}, twice, and is the same person`, async (t) => {
    const world = await buildWorld(t, sandbox)
    const rp = await world.buildApp()
    const browser = openBrowser()
    const back = await comeThrough(browser, await rp.begin(browser, { scope }), county)
    t.true(arrivedAt(rp, back), back.html)
    const { payload, info, v1, v2 } = await claimsOf(rp, back)
    t.like(payload, { acr: 'urn:citygate:acr:upstream', amr: ['fed'], nonce: 'nonce-1' })
    t.is(info.name, name)
    t.is(info.email_verified, false, 'no county is trusted to verify addresses')
    t.deepEqual(info.openid2_id, openid2)
    const titles = [{ schoolid, titles: ['教師', '設備組長'] }]
    t.deepEqual(v1, { sub: payload.sub, schoolid, titles } as never)
    t.deepEqual(v2, v1)
    t.deepEqual(info.eduinfo, v1)

    const again = openBrowser()
    const second = await comeThrough(again, await rp.begin(again, { scope }), county)
    t.is((await claimsOf(rp, second)).payload.sub, payload.sub)
  })
}

test('a pupil’s class comes with a seat number in v2 only', async (t) => {
  const world = await buildWorld(t, sandbox)
  const rp = await world.buildApp()
  const browser = openBrowser()
  const back = await comeThrough(browser, await rp.begin(browser, { scope }), 'tc', 'tcpupil')
  const { v1, v2 } = await claimsOf(rp, back)
  const sits = {
    year: '113',
    semester: '01',
    schoolid: '064698',
    grade: '3',
    classno: '06',
    classtitle: '3年6班',
  }
  t.deepEqual(v1.classinfo, [sits])
  t.deepEqual(v2.classinfo, [{ ...sits, seatno: '15' }])
})

test('an e-mail of NA is none', async (t) => {
  const world = await buildWorld(t, sandbox)
  const rp = await world.buildApp()
  const browser = openBrowser()
  const back = await comeThrough(browser, await rp.begin(browser, { scope }), 'ntpc', 'ntpcna')
  const { info } = await claimsOf(rp, back)
  t.is(info.name, '歐陽佩珊')
  t.false('email' in info)
})

test('a teacher of two schools chooses the one to act in', async (t) => {
  const world = await buildWorld(t, sandbox)
  const rp = await world.buildApp()
  const browser = openBrowser()
  const choose = await comeThrough(browser, await rp.begin(browser, { scope }), 'ntpc', 'ntpctwo')
  t.is(choose.status, 200)
  const back = await browser.submit(choose, 'affiliation-form', { affiliation: '014698:teacher' })
  t.true(arrivedAt(rp, back), back.html)
  t.is((await claimsOf(rp, back)).v1.schoolid, '014698')
})

test('twenty browsers of one new person at once make one account', async (t) => {
  const world = await buildWorld(t, sandbox)
  const rp = await world.buildApp()
  const waiting = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const browser = openBrowser()
      const page = await rp.begin(browser, { scope: 'openid' })
      return { browser, atCounty: await browser.submit(page, 'county-form', { connector: 'ntpc' }) }
    }),
  )
  const fields = { account: 'ntpctest', password: 'ntpctest' }
  const backs = await Promise.all(
    waiting.map(({ browser, atCounty }) => browser.submit(atCounty, 'county-login', fields)),
  )
  const subs = await Promise.all(
    backs.map(
      async (back) => (await rp.verify((await rp.redeem(back.url)).body.id_token)).payload.sub,
    ),
  )
  t.is(subs.length, 20)
  t.is(new Set(subs).size, 1)
  const { store } = world.house
  t.is((await store.identities.ofAccount(String(subs[0]))).length, 1)
})

test('an app goes straight to a county with upstream=, and back to our page when it is not one', async (t) => {
  const world = await buildWorld(t, sandbox)
  const rp = await world.buildApp()
  const browser = openBrowser()
  const atCounty = await rp.begin(browser, { upstream: 'ntpc' })
  t.is(atCounty.url.origin, world.counties)
  const fields = { account: 'ntpctest', password: 'ntpctest' }
  t.true(arrivedAt(rp, await browser.submit(atCounty, 'county-login', fields)))
  for (const upstream of ['kl', 'nowhere', '../x']) {
    const page = await rp.begin(openBrowser(), { upstream })
    t.truthy(page.document.querySelector('#county-form'), upstream)
  }
})

test('all upstreams are listed in the seed’s order, the sandbox’s own last; those not connected cannot be chosen', async (t) => {
  const world = await buildWorld(t, sandbox)
  const rp = await world.buildApp()
  const browser = openBrowser()
  const page = await rp.begin(browser)
  const options = page.document
    .querySelectorAll('select[name=connector] option')
    .filter((option) => option.getAttribute('value'))
  t.is(options.length, 22 + 2 + 2, 'counties, the Ministry’s, those of the sandbox alone')
  const ids = options.map((option) => option.getAttribute('value'))
  t.deepEqual(ids.slice(0, 5), ['kl', 'ntpc', 'tp', 'ty', 'hcc'])
  const open = options.filter((option) => !option.hasAttribute('disabled'))
  t.deepEqual(
    open.map((option) => option.getAttribute('value')).sort(),
    upstreams.map(({ id }) => id).sort(),
  )
  t.deepEqual(ids.slice(-2), ['saml-school', 'directory'])
  const forged = await browser.submit(page, 'county-form', { connector: 'kl' })
  t.is(forged.url.origin, world.issuer)
  t.truthy(forged.document.querySelector('#county-form'))
})

test('the last county is remembered', async (t) => {
  const world = await buildWorld(t, sandbox)
  const rp = await world.buildApp()
  const browser = openBrowser()
  await comeThrough(browser, await rp.begin(browser), 'hlc')
  const page = await rp.begin(browser, { prompt: 'login' })
  const selected = page.document.querySelector('select[name=connector] option[selected]')
  t.is(selected?.getAttribute('value'), 'hlc')
})

const failures = {
  down: 'unreachable',
  'down-token': 'unreachable',
  garbage: 'nonsense',
  refuses: 'refused',
  'wrong-nonce': 'forged',
  'wrong-issuer': 'forged',
  'wrong-signature': 'forged',
}

/** Tries a county that may be broken, as far as it leads. */
async function tryCounty(browser: Browser, page: Page, county: string) {
  const next = await browser.submit(page, 'county-form', { connector: county })
  if (!next.document.querySelector('#county-login')) return next
  const account = `${county}test`
  return browser.submit(next, 'county-login', { account, password: account })
}

for (const [mode, failure] of Object.entries(failures)) {
  test(`a county that is ${mode}: a page in words, the app’s request kept, and another way in`, async (t) => {
    const world = await buildWorld(t, sandbox)
    const rp = await world.buildApp()
    const { account, password } = await world.buildPerson()
    const browser = openBrowser()
    const page = await rp.begin(browser, { state: 'kept' })
    await world.switchCounty('ntpc', mode)
    const problem = await tryCounty(browser, page, 'ntpc')
    t.is(problem.url.origin, world.issuer)
    t.true(problem.status >= 400)
    t.true(problem.html.includes('新北市'))
    const ref = problem.document.querySelector('#problem-ref')?.text ?? ''
    const line = world.log.map((l) => JSON.parse(l)).find((l) => l.ref === ref && l.failure)
    t.is(line?.failure, failure, world.log.slice(-6).join(''))

    const english = await browser.open(`${world.issuer}/interaction/x?lang=en`)
    t.true(english.html.includes('lang="en"'))

    await world.switchCounty('ntpc', 'ok')
    const nextWays = problem.document.querySelectorAll('[id^=next-]').map(({ id }) => id)
    for (const id of ['next-again-county', 'next-other-county', 'next-local', 'next-back-to-app']) {
      t.true(nextWays.includes(id), `${id} of ${nextWays}`)
    }
    const other = await browser.open(
      new URL(
        problem.document.querySelector('#next-local')?.getAttribute('href') ?? '',
        world.issuer,
      ).href,
    )
    const back = await browser.submit(other, 'local-form', { account, password })
    t.true(arrivedAt(rp, back))
    t.is(back.url.searchParams.get('state'), 'kept')
    t.is(world.log.filter((l) => l.includes('nonce-1') || l.includes('code=')).length, 0)
  })
}

test('a slow county is given up before it answers', async (t) => {
  const world = await buildWorld(t, { ...sandbox, hurries: true })
  const rp = await world.buildApp()
  const browser = openBrowser()
  const page = await rp.begin(browser)
  const atCounty = await browser.submit(page, 'county-form', { connector: 'ntpc' })
  const callback = await stopBeforeCallback(browser, atCounty)
  await world.switchCounty('ntpc', 'slow-token')
  t.is((await browser.open(callback)).status, 504, 'who waited for its eight seconds would be in')
})

/** From an app to the sign-in page of New Taipei. */
async function goToCounty(browser: Browser, rp: RelyingParty, more = {}) {
  return browser.submit(await rp.begin(browser, more), 'county-form', { connector: 'ntpc' })
}

test('a callback is good once, in the browser that left, for the county it left for', async (t) => {
  const world = await buildWorld(t, sandbox)
  const rp = await world.buildApp()
  const browser = openBrowser()
  const callback = await stopBeforeCallback(browser, await goToCounty(browser, rp))

  const mallory = openBrowser()
  t.is((await mallory.open(callback)).status, 400, 'no cookie')
  await mallory.open(`${world.issuer}/`)
  t.is((await mallory.open(callback)).status, 400, 'another browser')
  t.is((await browser.open(callback.replace('/ntpc/', '/tc/'))).status, 400, 'another county')
  const without = new URL(callback)
  without.searchParams.delete('state')
  t.is((await browser.open(without.href)).status, 400, 'no state')
  const wrong = new URL(callback)
  wrong.searchParams.set('state', 'x'.repeat(43))
  t.is((await browser.open(wrong.href)).status, 400, 'unknown state')

  t.true(arrivedAt(rp, await browser.open(callback)), 'none of that spent it')
  const again = await browser.open(callback)
  t.is(again.status, 400, 'used')
  t.false(arrivedAt(rp, again))
})

test('of eight who open one callback at once, one gets in', async (t) => {
  const world = await buildWorld(t, sandbox)
  const rp = await world.buildApp()
  const browser = openBrowser()
  const callback = await stopBeforeCallback(browser, await goToCounty(browser, rp))
  const answers = await Promise.all(Array.from({ length: 8 }, () => browser.request(callback)))
  const resumed = answers.filter(({ headers }) => headers.get('location')?.includes('/auth/'))
  t.is(resumed.length, 1)
})

test('two tabs at one county: each comes back to its own app', async (t) => {
  const world = await buildWorld(t, sandbox)
  const a = await world.buildApp()
  const b = await world.buildApp({ redirectUris: ['https://b.example/callback'] })
  const browser = openBrowser()
  const [first, second] = [await goToCounty(browser, a), await goToCounty(browser, b)]
  const callbackA = await stopBeforeCallback(browser, first)
  const callbackB = await stopBeforeCallback(browser, second)
  t.true(arrivedAt(b, await browser.open(callbackB)))
  const last = await browser.open(callbackA)
  t.true(arrivedAt(a, last), world.log.slice(-5).join('') + last.trail.join('\n'))
})

test('a trip that took too long is said to be so, and the request goes on', async (t) => {
  let clock = Date.now()
  const world = await buildWorld(t, { ...sandbox, now: () => clock })
  const rp = await world.buildApp()
  const browser = openBrowser()
  const callback = await stopBeforeCallback(browser, await goToCounty(browser, rp))
  clock += 11 * 60 * 1000
  const late = await browser.open(callback)
  t.is(late.status, 400)
  t.truthy(late.document.querySelector('#next-sign-in'))
})

test('the server restarts between county and callback, and the sign-in completes', async (t) => {
  const before = await buildWorld(t, sandbox)
  const rp = await before.buildApp()
  const browser = openBrowser()
  const callback = await stopBeforeCallback(
    browser,
    await goToCounty(browser, rp, { state: 'kept' }),
  )
  await before.close()
  await buildWorld(t, { ...sandbox, dataDir: before.dataDir, ports: before.ports })
  const back = await browser.open(callback)
  t.true(arrivedAt(rp, back), back.html)
  t.is(back.url.searchParams.get('state'), 'kept')
  t.is((await rp.redeem(back.url)).status, 200)
})
