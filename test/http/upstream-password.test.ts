/** Our own form for an upstream that has no pages, with the sandbox's directory. */
import test from 'ava'
import { openMember, text } from '../helpers/account.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { openClock, retryAfter } from '../helpers/knocking.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const form = 'upstream-password-form'

/** From the app to the form. */
async function leave(rp: RelyingParty, browser: Browser): Promise<Page> {
  return browser.submit(await rp.begin(browser), 'county-form', { connector: 'directory' })
}
const type = (browser: Browser, page: Page, account: string, password: string) =>
  browser.submit(page, form, { account, password })
const knocks = (world: World) =>
  world.log.filter((line) => JSON.parse(line).way === 'upstream').map((line) => JSON.parse(line))

const kept = (page: Page) => page.document.querySelector('#account')?.getAttribute('value')
const actionOf = (page: Page) => page.document.querySelector(`#${form}`)?.getAttribute('action')
const problem = (page: Page) => text(page, '#problem-here')
const href = (page: Page, selector: string) =>
  page.document.querySelector(selector)?.getAttribute('href') ?? ''

test('a wrong password twice, then the right one: she is at the app, and nobody wrote down what she typed', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const rp = await world.buildApp()
  const browser = openBrowser()
  const page = await leave(rp, browser)
  t.is(page.url.pathname, '/upstream/directory/password')
  t.is(page.status, 200)
  t.is(text(page, 'h1'), '用示範國民中學（沙盒）的帳號登入')
  t.true(text(page, '#only-there').includes('密碼只會送到示範國民中學（沙盒）'))
  t.is(text(page, '#app-name'), '課程平台')
  t.regex(href(page, '#back-link'), /^\/interaction\/[\w-]+\?choose=1$/)
  const english = await browser.open(`${page.url.href}&lang=en`)
  t.is(text(english, 'h1'), 'Sign in with your account at Model Junior High (sandbox)')

  const first = await type(browser, english, 'dirtest', 'hunter-two')
  t.is(first.status, 422)
  t.is(problem(first), 'The account or the password is not right. Please try again.')
  t.is(kept(first), 'dirtest')
  t.false(first.html.includes('hunter-two'))
  const inChinese = new URL(href(first, 'a[hreflang="zh-TW"]'), world.issuer)
  const switched = await browser.open(inChinese.href)
  t.is(switched.status, 200, 'the language switch leads to the same trip')
  const second = await type(browser, switched, 'nobody-here', 'hunter-two')
  t.is(problem(second), '帳號或密碼不正確，請再試一次。', 'who has an account is not told')
  const back = await type(browser, second, ' dirtest ', 'dirtest')
  t.true(arrivedAt(rp, back), back.html)
  const { payload } = await rp.verify((await rp.redeem(back.url)).body.id_token)
  t.deepEqual(payload.amr, ['pwd'])
  t.is(payload.acr, 'urn:citygate:acr:upstream')

  t.deepEqual(
    knocks(world).map(({ outcome }) => outcome),
    ['wrong', 'wrong', 'finish'],
  )
  const events = await world.house.store.auditReads.list({ limit: 100 })
  const signIns = events.filter(({ action }) => action === 'session.sign-in')
  t.deepEqual(signIns.map(({ outcome }) => outcome).sort(), ['ok', 'refused', 'refused'])
  t.notRegex(JSON.stringify(events) + world.log.join(), /hunter-two|nobody-here|dirtest/)

  // The same form for a member who links her account there.
  const member = await openMember(world)
  const begin = async () =>
    member.browser.submit(await member.open('/account/identities'), 'link-form', {
      connector: 'directory',
    })
  await world.switchCounty('directory', 'down')
  const linking = [await begin(), await begin()]
  for (const page of linking) {
    t.is(href(page, '#back-link'), '/account/identities')
    t.falsy(page.document.querySelector('#app-name'))
    const away = await type(member.browser, page, 'dirpupil', 'dirpupil')
    t.is(away.status, 502)
    t.true(text(away, '#problem-title').includes('示範國民中學'))
  }
  await world.switchCounty('directory', 'ok')
  const wrong = await type(member.browser, await begin(), 'dirpupil', 'no')
  t.is(retryAfter(wrong), 0, 'the first wrong one: a directory that is away is no wrong password')
  const linked = await type(member.browser, wrong, 'dirpupil', 'dirpupil')
  t.is(linked.url.search, '?done=linked')
  const [identity] = await world.house.store.identities.ofAccount(member.sub)
  t.is(identity?.connector, 'directory')
  t.regex(identity?.subject ?? '', /^[0-9a-f-]{36}$/)
})

test('what is guessed is slowed down before the directory is asked, and she is not locked out', async (t) => {
  const clock = openClock()
  const world = await buildWorld(t, { sandbox: true, now: clock.now })
  const rp = await world.buildApp()
  const her = openBrowser()
  t.true(arrivedAt(rp, await type(her, await leave(rp, her), 'dirtest', 'dirtest')))

  const guesser = openBrowser()
  let page = await leave(rp, guesser)
  for (const [n, wait] of [0, 0, 2, 4, 900].entries()) {
    // A directory takes all of these for one name (RFC 4518 §2).
    const spellings = ['dirtest', ' DIRTEST', 'dir\u00adtest', 'ｄｉｒｔｅｓｔ', 'dir\u200btést']
    page = await type(guesser, page, spellings[n] ?? '', `guess ${n}`)
    t.is(page.status, 422)
    t.is(retryAfter(page), wait)
    if (wait === 0) continue
    const trip = actionOf(page)
    page = await type(guesser, page, 'dirtest', 'dirtest')
    t.is(page.status, 429, 'not even the right one is looked at')
    t.true(retryAfter(page) > 0)
    t.regex(problem(page), /請等 \d+ (秒|分鐘)後/)
    t.is(kept(page), 'dirtest')
    t.is(actionOf(page), trip, 'the trip waits still: nobody was asked')
    if (wait < 900) clock.pass(wait)
  }
  t.true(world.log.some((line) => /"endpoint":"upstream-password"/.test(line)))

  // A member of that name here is another person, counted apart.
  const member = await world.buildPerson({ account: 'dirtest@mail.edu.tw' })
  const asked = await rp.begin(guesser)
  t.true(arrivedAt(rp, await guesser.submit(asked, 'local-form', member)))
  const again = await leave(rp, openedAnew(her))
  t.true(arrivedAt(rp, await type(her, again, 'dirtest', 'dirtest')), 'in her own browser')

  // A right one is right although it ends on a question: what went wrong before is forgotten.
  await world.buildPerson({ account: 'dirpupil@school.example' })
  const pupil = openBrowser()
  page = await leave(rp, pupil)
  for (const password of ['one', 'two']) page = await type(pupil, page, 'dirpupil', password)
  const offer = await type(pupil, page, 'dirpupil', 'dirpupil')
  t.regex(offer.url.pathname, /\/link$/, offer.html)
  t.is(retryAfter(await type(pupil, await leave(rp, pupil), 'dirpupil', 'three')), 0)

  // The form is good once, in her browser, for a while, with its token and both fields filled in.
  const browser = openBrowser()
  const trip = await leave(rp, browser)

  const empty = await type(browser, trip, 'dirpupil', '')
  t.is(empty.status, 422)
  t.is(problem(empty), '請輸入帳號和密碼。')
  t.is(empty.document.querySelector('#account')?.getAttribute('aria-invalid'), 'true')
  t.is(empty.document.querySelector('#problem a')?.getAttribute('href'), '#account')
  for (const account of ['*)(uid=*', 'dirpupil)(|(uid=*', 'dirpupil*']) {
    const one = await leave(rp, browser)
    t.is((await type(browser, one, account, 'dirpupil')).status, 422, account)
  }

  const stranger = openBrowser()
  const noCookie = await stranger.open(trip.url.href)
  t.is(noCookie.status, 400)
  const elsewhere = await stranger.open(trip.url.href)
  t.is(elsewhere.status, 400)
  t.falsy(elsewhere.document.querySelector(`#${form}`))
  const stolen = { account: 'dirpupil', password: 'dirpupil', form_token: 'x' }
  const forged = await browser.submit(trip, form, stolen)
  t.is(forged.status, 403)
  const crossed = await browser.open(trip.url.href, {
    method: 'POST',
    body: new URLSearchParams({ account: 'dirpupil', password: 'dirpupil' }),
    headers: { 'sec-fetch-site': 'cross-site' },
  })
  t.is(crossed.status, 403)

  // An address opened in place of the form brings nobody.
  const side = await leave(rp, browser)
  const opened = await browser.open(side.url.href.replace('/password', '/callback'))
  t.is(opened.status, 502)

  t.is((await type(browser, trip, 'dirpupil', 'not it')).status, 422)
  const replayed = await type(browser, trip, 'dirpupil', 'dirpupil')
  t.is(replayed.status, 400, 'used up by the wrong one: its page has another')
  t.truthy(replayed.document.querySelector('#next-sign-in'))

  const late = await leave(rp, browser)
  clock.pass(world.house.trips.tripSeconds + 1)
  t.is((await browser.open(late.url.href)).status, 400)
  t.is((await type(browser, late, 'dirpupil', 'dirpupil')).status, 400)

  for (const path of ['ntpc', 'nowhere']) {
    const other = `${world.issuer}/upstream/${path}/password?state=x`
    t.is((await browser.open(other)).status, 404)
  }
  t.is((await browser.open(`${world.issuer}/upstream/directory/password`)).status, 400)
})

/** The same jar: the session ends with the app's wish for a fresh sign-in. */
const openedAnew = (browser: Browser): Browser => ({
  ...browser,
  open: (url, init) => browser.open(url.includes('/auth?') ? `${url}&prompt=login` : url, init),
})
