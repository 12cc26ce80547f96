/** The button that sends a mail again, in a browser: with its script and without. */
import test from 'ava'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { launch, openSite, type Site, sentBy } from './site.ts'

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

async function open(name: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  // It stands until a test lets it run: a busy machine's seconds are none of the page's.
  await page.clock.install({ time: 0 })
  await page.clock.pauseAt(1_000)
  await page.goto(site.url('en', name))
  return { page, button: page.locator('#send-again'), close: () => context.close() }
}

test('it is locked, counts down where nobody is read to, and says once that it can be pressed', async (t) => {
  const { page, button, close } = await open('joining-email-code-problem')
  const words = page.locator('#send-again-wait')
  const said = page.locator('#send-again-ready')
  t.true(await button.isDisabled())
  t.is(await words.textContent(), 'It can be sent again in 96 seconds.')
  t.is(await words.getAttribute('role'), null)
  await page.clock.runFor(6_000)
  t.is(await words.textContent(), 'It can be sent again in 90 seconds.')
  t.is(await said.textContent(), '')
  await page.clock.runFor(90_000)
  t.false(await button.isDisabled())
  t.is(await words.textContent(), '')
  t.is(await said.textContent(), 'It can be sent again now.')
  t.is(await said.getAttribute('role'), 'status')
  await close()
})

test('without its script it can be pressed, and the words say how long to wait', async (t) => {
  const context = await browser.newContext({ javaScriptEnabled: false })
  const page = await context.newPage()
  await page.goto(site.url('zh-TW', 'joining-email-link'))
  t.is(await page.locator('#send-again-wait').textContent(), '96 秒後可以再寄一次。')
  t.is((await sentBy(page, '#send-again')).get('action'), 'resend')
  await context.close()
})

for (const script of [true, false])
  test(`Enter after the code goes on and sends no other one, ${script ? 'with' : 'without'} scripts`, async (t) => {
    const context = await browser.newContext({ javaScriptEnabled: script })
    const page = await context.newPage()
    await page.goto(site.url('en', 'joining-email-code-sent'))
    await page.locator('#f-code').fill('204816')
    const sent = await sentBy(page, '#f-code', (code) => code.press('Enter'))
    t.is(sent.get('code'), '204816')
    t.is(sent.get('email'), 'wang@example.tw')
    t.false(sent.has('action'))
    await context.close()
  })
