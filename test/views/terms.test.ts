import test from 'ava'
import type { Browser, Page } from 'playwright-core'
import { launch, openSite, type Site, screen, sentBy } from './site.ts'

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

async function open(width: number, javaScriptEnabled = true): Promise<Page> {
  const context = await browser.newContext({ ...screen('zh-TW', width), javaScriptEnabled })
  const page = await context.newPage()
  await page.goto(site.url('zh-TW', 'agreement'))
  return page
}

/** In the page: true once the frame has been scrolled and stands where it stood when last asked. */
function restsBelowItsTop() {
  const frame = document.getElementById('terms')
  if (!frame) return false
  const before = frame.dataset.stood
  frame.dataset.stood = `${frame.scrollTop}`
  return frame.scrollTop > 0 && before === frame.dataset.stood
}

for (const width of [360, 1280])
  test(`at ${width} px terms are scrolled to their end by keyboard, then one may agree`, async (t) => {
    const page = await open(width)
    t.true(await page.isDisabled('#agreement-agree'))
    t.true(await page.isDisabled('#f-agree'))
    t.true(await page.isEnabled('#agreement-disagree'))
    t.regex((await page.textContent('#terms-more')) ?? '', /捲到最後/)

    await page.focus('#terms')
    await page.keyboard.press('PageDown')
    // Between two keys the frame comes to rest: the second would be lost in the first one's gliding.
    await page.waitForFunction(restsBelowItsTop, undefined, { polling: 100 })
    t.true(await page.isDisabled('#agreement-agree'), 'half of it is not all of it')
    await page.keyboard.press('End')
    await page.waitForSelector('#agreement-agree:enabled')
    t.regex((await page.textContent('#terms-more')) ?? '', /看到最後/)
    await page.check('#f-agree')
    const sent = await sentBy(page, '#agreement-agree')
    t.is(sent.get('decision'), 'agree')
    t.is(sent.get('agree'), 'yes')
    t.is(sent.get('hash'), 'hash-of-the-text')
    await page.context().close()
  })

test('without JavaScript the whole text stands above the box, and the box must be ticked', async (t) => {
  const page = await open(1280, false)
  const cut = await page.locator('#terms').evaluate((one) => one.scrollHeight - one.clientHeight)
  t.true(cut <= 0, 'nothing of it is hidden')
  t.true(await page.isEnabled('#agreement-agree'))
  await page.click('#agreement-agree')
  t.true(page.url().endsWith('/agreement'), 'the browser asks for the tick')
  t.is((await sentBy(page, '#agreement-disagree')).get('decision'), 'disagree')
  await page.context().close()
})
