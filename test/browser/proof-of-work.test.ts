/** Browsers work for us: with the worker we serve, under our policy. */
import test from 'ava'
import { type Browser, chromium } from 'playwright-core'
import { openProofOfWork } from '#lib/proof-of-work.ts'
import { chromiumFlags, findChromium } from '../helpers/chromium.ts'
import { openPage } from '../views/one-page.ts'

let browser: Browser
test.before(async () => {
  const executablePath = findChromium()
  browser = await chromium.launch({ executablePath, args: chromiumFlags })
})
test.after.always(() => browser?.close())

const work = openProofOfWork({ key: Buffer.alloc(32, 5), now: Date.now })

// The box as views/steps/captcha.ejs makes it.
const template = `<h1>Trial</h1>
<form method="post" action="/">
  <div id="captcha" data-challenge="<%= data.challenge %>" data-worker="<%= asset('altcha-worker.js') %>" data-working="working" data-ready="ready" data-failed="failed">
    <p id="f-proof" role="status"></p>
    <input type="hidden" name="proof" value="">
  </div>
  <button type="submit">Send</button>
</form>
<script src="<%= asset('proof-of-work.js') %>" defer></script>`

test('what a browser sends is right, and took it a moment', async (t) => {
  const challenge = JSON.stringify(await work.challenge('form'))
  const site = await openPage(t, template, { challenge }, { worker: true })
  const page = await browser.newPage()
  const refused: string[] = []
  page.on('console', (line) => refused.push(line.text()))
  await page.goto(site.url('zh-TW'))
  await page.locator('#f-proof', { hasText: 'ready' }).waitFor({ timeout: 60_000 })
  const proof = await page.inputValue('[name=proof]')
  t.like(await work.verify(proof, 'form'), { kind: 'right' })
  t.deepEqual(await work.verify(proof, 'another form'), { kind: 'wrong' })
  t.deepEqual(refused, [], 'the policy refused something')
  const { solution } = JSON.parse(atob(proof))
  t.log(`${solution.time} ms, ${solution.counter} rounds`)
  t.true(solution.counter >= 400)
})

test('a page that does not say it needs a worker gets none', async (t) => {
  const challenge = JSON.stringify(await work.challenge('form'))
  const site = await openPage(t, template, { challenge })
  const page = await browser.newPage()
  await page.goto(site.url('zh-TW'))
  await page.locator('#f-proof', { hasText: 'failed' }).waitFor({ timeout: 60_000 })
  t.is(await page.inputValue('[name=proof]'), '')
})
