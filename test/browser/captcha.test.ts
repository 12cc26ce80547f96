/** The page that keeps robots out, first of an enrolment: with JavaScript and without. */
import test, { type ExecutionContext } from 'ava'
import { type Browser, chromium } from 'playwright-core'
import { enrolmentFile } from '#config/enrolment.ts'
import { chromiumFlags, findChromium } from '../helpers/chromium.ts'
import { buildWorld } from '../helpers/world.ts'

const label = { 'zh-TW': '姓名', en: 'Name' }
const rules = enrolmentFile.parse({
  id: 'visitor',
  title: { 'zh-TW': '訪客', en: 'Visitor' },
  entry: { visitor: {} },
  steps: [
    { id: 'robot', type: 'captcha' },
    { id: 'about', type: 'form', fields: [{ id: 'name', type: 'name', label }] },
  ],
  creates: {},
})

let browser: Browser
test.before(async () => {
  browser = await chromium.launch({ executablePath: findChromium(), args: chromiumFlags })
})
test.after.always(() => browser?.close())

async function visit(t: ExecutionContext, options: { javaScriptEnabled: boolean }) {
  const clock = { ahead: 0 }
  // It stands still until the test moves it: how long a busy machine takes is no part of the wait.
  const began = Date.now()
  const now = () => began + clock.ahead
  const world = await buildWorld(t, { now, enrolments: [rules] })
  const context = await browser.newContext({ ...options, locale: 'en' })
  t.teardown(() => context.close())
  const page = await context.newPage()
  const refused: string[] = []
  page.on('console', (line) => {
    if (line.type() === 'error') refused.push(line.text())
  })
  await page.goto(`${world.issuer}/join/visitor`)
  return { page, clock, refused }
}

test('pressed before the work is done, the button waits for it; going back asks nothing again', async (t) => {
  const { page, refused } = await visit(t, { javaScriptEnabled: true })
  await page.click('#joining-submit')
  await page.waitForSelector('#f-name', { timeout: 60_000 })
  t.deepEqual(refused, [])
  await page.click('#joining-back')
  t.regex(await page.innerText('#joining-form'), /This is done/)
  await page.click('#joining-submit')
  await page.waitForSelector('#f-name')
  t.pass()
})

test('without JavaScript who is too early waits for the rest of the time on the same page', async (t) => {
  const { page, clock } = await visit(t, { javaScriptEnabled: false })
  t.regex(await page.innerText('#captcha'), /wait 20 seconds/)
  clock.ahead += 8_000
  await page.click('#joining-submit')
  t.regex(await page.innerText('#problems'), /Please wait \d+ more seconds/)
  clock.ahead += 12_000
  await page.click('#joining-submit')
  await page.waitForSelector('#f-name')
  t.regex(page.url(), /\/joining\/[0-9a-f-]+\/about$/)
})
