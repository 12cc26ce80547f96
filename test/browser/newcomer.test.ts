/** The main job as a newcomer does it: from the demo app to her county, back, and out again. */
import test, { type ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import { agree, fillIn } from '../helpers/chromium-joining.ts'
import {
  focused,
  openTown,
  screens,
  signInAt,
  type Town,
  tabTo,
  visit,
} from '../helpers/chromium-town.ts'
import { schoolAnswers } from '../helpers/joining.ts'

let town: Town
test.before(async () => {
  town = await openTown()
})
test.after.always(() => town?.close())

const text = (page: Page, selector: string) => page.locator(selector).innerText()

/** She is back, known, and everything the app asked for has arrived. */
async function seesHerself(t: ExecutionContext, page: Page, { world } = town) {
  await page.waitForSelector('#claims')
  t.is(page.url(), `${world.demo}/`)
  t.is(await text(page, 'h1'), '您好，林雅雯')
  t.regex(await text(page, '#verified'), /OK/)
  for (const version of ['v1', 'v2']) {
    const eduinfo = JSON.parse((await page.textContent(`#eduinfo-${version}`)) ?? '')
    t.deepEqual(eduinfo.titles, [{ schoolid: '014598', titles: ['教師', '設備組長'] }])
  }
}

test('the first minute with npm start: she is nobody’s member yet and joins on her way to the app', async (t) => {
  const open = await openTown({ enrolments: 'as configured', agreements: ['educloud'] })
  t.teardown(() => open.close())
  const page = await visit(t, open)
  await page.goto(open.world.demo)
  await page.click('#sign-in')
  await signInAt(page, 'ntpc')
  await page.waitForSelector('#terms')
  t.regex(await text(page, '.app'), /課程筆記/, 'where she is going is not forgotten')
  await agree(t, page, { scripts: true })
  await page.waitForSelector('#f-account')
  t.regex(await text(page, '#f-name'), /林雅雯/)
  const { gender, ...typed } = schoolAnswers
  await fillIn(page, typed)
  await page.check(`[name=gender][value=${gender}]`)
  await page.click('#joining-submit')
  await page.waitForSelector('#summary')
  await page.click('#joining-submit')
  await page.waitForSelector('#joined')
  t.regex(await text(page, '#enter'), /課程筆記/)
  await page.click('#enter')
  await seesHerself(t, page, open)
})

const people = [
  { lang: 'zh-TW', screen: 'desktop', typed: '新北', title: /^登入，前往課程筆記/ },
  { lang: 'zh-TW', screen: 'phone', typed: '新北', title: /^登入，前往課程筆記/ },
  { lang: 'en', screen: 'desktop', typed: 'taipei', title: /^Sign in to go to 課程筆記/ },
  { lang: 'en', screen: 'phone', typed: 'xinbei', title: /^Sign in to go to 課程筆記/ },
] as const

for (const { lang, screen, typed, title } of people)
  test(`with the keyboard alone, in ${lang} on a ${screen}: types ${typed}, signs in, refreshes and signs out`, async (t) => {
    const page = await visit(t, town, { locale: lang, viewport: screens[screen] })
    const { keyboard } = page
    await page.goto(town.world.demo)
    await tabTo(page, 'sign-in')
    await keyboard.press('Enter')

    await page.waitForSelector('#county-form')
    t.regex(await page.title(), title)
    t.is(await page.getAttribute('html', 'lang'), lang)
    await tabTo(page, 'connector-search')
    await keyboard.type(typed)
    await keyboard.press('Enter')
    t.is(await focused(page), 'county-submit')
    await keyboard.press('Enter')

    await page.waitForSelector('#county-login')
    t.true(page.url().startsWith(`${town.world.counties}/ntpc/`))
    await tabTo(page, 'account')
    await keyboard.type('ntpctest')
    await tabTo(page, 'password')
    await keyboard.type('ntpctest')
    await keyboard.press('Enter')
    await seesHerself(t, page)

    await tabTo(page, 'refresh')
    await keyboard.press('Enter')
    await page.waitForURL('**/#tokens')
    t.is(await text(page, '#refreshed'), '1')
    await page.goto(town.world.demo)
    await tabTo(page, 'sign-out')
    await keyboard.press('Enter')

    await page.waitForSelector('#sign-out-yes')
    t.true(page.url().startsWith(town.world.issuer))
    t.is(await page.getAttribute('html', 'lang'), lang)
    await tabTo(page, 'sign-out-yes')
    await keyboard.press('Enter')
    await page.waitForSelector('#sign-in')
    t.is(page.url(), `${town.world.demo}/`)
  })

for (const [screen, viewport] of Object.entries(screens))
  test(`without JavaScript on a ${screen}`, async (t) => {
    const page = await visit(t, town, { viewport, javaScriptEnabled: false })
    await page.goto(town.world.demo)
    await page.click('#sign-in')
    t.false(await page.isVisible('#connector-search'))
    await page.selectOption('#connector', 'ntpc')
    await page.click('#county-submit')
    await page.fill('#account', 'ntpctest')
    await page.fill('#password', 'ntpctest')
    await page.click('#county-login-submit')
    await seesHerself(t, page)
    await page.click('#refresh')
    await page.waitForURL('**/#tokens')
    t.is(await text(page, '#refreshed'), '1')
    await page.click('#sign-out')
    await page.click('#sign-out-yes')
    await page.waitForSelector('#sign-in')
    t.is(page.url(), `${town.world.demo}/`)
  })

test('an app that asks for English gets English from a browser that speaks Chinese, and 中文 is one press away', async (t) => {
  const page = await visit(t, town)
  await page.goto(town.world.demo)
  await page.click('#sign-in-en')
  t.is(await page.innerText('#county-title'), 'County education account')
  t.is(await page.innerText('#connector option[value=ntpc]'), 'New Taipei City')
  await page.click('#language-zh-tw')
  t.is(await page.innerText('#county-title'), '縣市教育局帳號')
  await page.click('#language-en')
  await page.click('#cancel-submit')
  t.is(await page.innerText('#failure'), 'access_denied')
})

test('an app that names the county goes straight there and comes back', async (t) => {
  const page = await visit(t, town)
  await page.goto(town.world.demo)
  await page.click('#sign-in-ntpc')
  await page.waitForSelector('#county-login')
  await page.click('.person')
  await seesHerself(t, page)
})

test('whoever stays signed in may leave one app only', async (t) => {
  const page = await visit(t, town)
  await page.goto(`${town.world.demo}/login?upstream=ntpc`)
  await page.click('.person')
  await seesHerself(t, page)
  await page.click('#sign-out')
  await page.click('#sign-out-no')
  await page.waitForSelector('#sign-in')
  await page.click('#sign-in')
  await seesHerself(t, page)
})

test('a policy that forgets the county would keep people here, and these tests would hear of it', async (t) => {
  const { issuer, counties } = town.world
  const context = await town.chromium.newContext()
  t.teardown(() => context.close())
  await context.route(`${issuer}/interaction/*`, async (route) => {
    const response = await route.fetch()
    const { 'content-security-policy': policy = '', ...headers } = response.headers()
    const forgetful = { ...headers, 'content-security-policy': policy.replaceAll(counties, '') }
    await route.fulfill({ response, headers: forgetful })
  })
  const page = await context.newPage()
  await page.goto(town.world.demo)
  await page.click('#sign-in')
  // Playwright rewrites what is asked for directly, not what a redirect leads to.
  await page.goto(page.url())
  await page.selectOption('#connector', 'ntpc')
  const [complaint] = await Promise.all([
    context.waitForEvent('console'),
    page.click('#county-submit', { noWaitAfter: true }),
  ])
  t.regex(complaint.text(), /form-action/)
  t.true(page.url().startsWith(`${issuer}/interaction/`))
})
