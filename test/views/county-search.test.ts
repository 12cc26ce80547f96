import test from 'ava'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { launch, openSite, type Site, screen } from './site.ts'

let site: Site
let browser: Browser
test.before(async () => {
  site = await openSite()
  browser = await launch()
})
test.after.always(async () => {
  await browser?.close()
  await site?.close()
})

async function open(name = 'sign-in', options: BrowserContextOptions = {}, lang = 'zh-TW') {
  const context = await browser.newContext({ ...screen(lang, 1280), ...options })
  const page = await context.newPage()
  await page.goto(site.url(lang, name))
  return page
}

const options = (page: Page) =>
  page
    .locator('#connector option')
    .evaluateAll((all) =>
      all.map((one) => (one as HTMLOptionElement).value).filter((value) => value !== ''),
    )
const focus = (page: Page) => page.evaluate(() => document.activeElement?.id)

for (const [typed, first] of [
  ['新北', 'ntpc'],
  ['taichung', 'tc'],
  ['Kaohsiung', 'kh'],
  ['gaoxiong', 'kh'],
  ['台東', 'boe'],
  ['臺東', 'boe'],
  ['KĪLUNG', undefined],
  ['hsin chu', 'hcc'],
  ['馬祖', 'matsu'],
] as const)
  test(`typing ${typed} and Enter ${first ? `chooses ${first}` : 'chooses nothing'}`, async (t) => {
    const page = await open()
    await page.focus('#connector-search')
    await page.keyboard.type(typed)
    await page.keyboard.press('Enter')
    t.is(await page.inputValue('#connector'), first ?? '')
    t.is(await focus(page), first ? 'county-submit' : 'connector-search')
    if (!first) t.true((await page.textContent('#connector-count'))?.includes(typed))
    await page.context().close()
  })

test('a county is chosen and sent with the keyboard alone', async (t) => {
  const page = await open()
  await page.focus('#connector-search')
  await page.keyboard.type('ntpc')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/upstream')
  t.is(await page.textContent('body'), 'form_token=token-of-this-form&connector=ntpc')
  await page.context().close()
})

test('the list follows the typing, Escape brings it back, arrows lead into it', async (t) => {
  const page = await open()
  t.is((await options(page)).length, 22)
  await page.focus('#connector-search')
  await page.keyboard.type('新')
  t.deepEqual(await options(page), ['ntpc', 'hcc', 'hc'])
  t.regex((await page.textContent('#connector-count')) ?? '', /找到 3 個縣市.*新北市/)
  await page.keyboard.press('Escape')
  t.is(await page.inputValue('#connector-search'), '')
  t.is((await options(page)).length, 22)
  await page.keyboard.type('新竹')
  await page.keyboard.press('ArrowDown')
  t.is(await focus(page), 'connector')
  t.is(await page.inputValue('#connector'), 'hcc')
  await page.keyboard.press('ArrowDown')
  t.is(await page.inputValue('#connector'), 'hc')
  await page.keyboard.press('Enter')
  t.is(await focus(page), 'county-submit')
  await page.context().close()
})

test('a county that is not connected says so and cannot be chosen', async (t) => {
  const page = await open()
  t.true(await page.locator('#connector option[value=tp]').isDisabled())
  t.regex((await page.textContent('#connector option[value=tp]')) ?? '', /尚未連接/)
  await page.focus('#connector-search')
  await page.keyboard.type('臺北')
  await page.keyboard.press('Enter')
  t.not(await page.inputValue('#connector'), 'tp')
  await page.context().close()
})

test('nothing is preselected, so nobody is sent to a county by a slip', async (t) => {
  for (const javaScriptEnabled of [true, false]) {
    const page = await open('sign-in', { javaScriptEnabled })
    t.is(await page.inputValue('#connector'), '')
    await page.click('#county-submit')
    t.regex(page.url(), /\/sign-in$/, 'the browser holds the form back')
    await page.context().close()
  }
})

test('the county of last time is preselected', async (t) => {
  for (const javaScriptEnabled of [true, false]) {
    const page = await open('sign-in-notice', { javaScriptEnabled })
    t.is(await page.inputValue('#connector'), 'ntpc')
    await page.context().close()
  }
})

test('scripts may use the select as any other, searched or not', async (t) => {
  const page = await open()
  await page.selectOption('#connector', 'kh')
  await page.click('#county-submit')
  await page.waitForURL('**/upstream')
  t.regex((await page.textContent('body')) ?? '', /connector=kh$/)
  await page.context().close()
})

test('without JavaScript there is a plain select and no search box', async (t) => {
  const page = await open('sign-in', { javaScriptEnabled: false })
  t.false(await page.isVisible('#connector-search'))
  t.true(await page.isVisible('#connector'))
  t.is(await page.getAttribute('#connector', 'size'), null)
  await page.selectOption('#connector', 'ntpc')
  await page.click('#county-submit')
  await page.waitForURL('**/upstream')
  t.is(await page.textContent('body'), 'form_token=token-of-this-form&connector=ntpc')
  await page.context().close()
})

test('without JavaScript a member signs in with her password', async (t) => {
  const page = await open('sign-in', { javaScriptEnabled: false })
  await page.fill('#account', 'mei')
  await page.fill('#password', 'secret word')
  // The form is sent to where it stands: its address is there before the answer is.
  const answer = page.waitForResponse((one) => one.request().method() === 'POST')
  await page.keyboard.press('Enter')
  t.is(
    await (await answer).text(),
    'form_token=token-of-this-form&account=mei&password=secret+word',
  )
  await page.context().close()
})

test('the password can be shown, and is hidden again before it is sent', async (t) => {
  const page = await open()
  await page.fill('#account', 'mei')
  await page.fill('#password', 'secret')
  await page.click('#password-show')
  t.is(await page.getAttribute('#password', 'type'), 'text')
  t.is(await page.textContent('#password-show'), '隱藏密碼')
  await page.evaluate(() => {
    document
      .getElementById('local-form')
      ?.addEventListener('submit', (event) => event.preventDefault())
  })
  await page.click('#local-submit')
  t.is(await page.getAttribute('#password', 'type'), 'password')
  await page.context().close()
})

test('on a phone the select stays the phone’s own picker', async (t) => {
  const page = await open('sign-in', { ...screen('zh-TW', 360), hasTouch: true, isMobile: true })
  t.is(await page.getAttribute('#connector', 'size'), null)
  await page.fill('#connector-search', '高雄')
  await page.press('#connector-search', 'Enter')
  t.is(await page.inputValue('#connector'), 'kh')
  await page.context().close()
})
