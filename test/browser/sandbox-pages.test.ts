/** The sandbox is a newcomer's first sight of us: its pages stand the same test as our own. */
import { createServer } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import { openPost } from '#sandbox/post.ts'
import { openTown, screens, type Town, visit } from '../helpers/chromium-town.ts'
import { faultless } from '../helpers/faultless.ts'
import { freePort } from '../helpers/free-port.ts'

let town: Town
test.before(async () => {
  town = await openTown()
})
test.after.always(() => town?.close())

async function isFine(t: ExecutionContext, page: Page, name: string) {
  for (const [screen, colorScheme] of [
    ['phone', 'light'],
    ['desktop', 'dark'],
  ] as const) {
    await page.setViewportSize(screens[screen])
    await page.emulateMedia({ colorScheme })
    await faultless(t, page, `${name}, ${screen}, ${colorScheme}`)
  }
}

test('axe finds nothing at the county index, healthy and broken', async (t) => {
  const page = await visit(t, town)
  await town.world.switchCounty('kh', 'wrong-nonce')
  await page.goto(town.world.counties)
  await isFine(t, page, 'index')
  await page.selectOption('#kh-mode', 'ok')
  await page.click('#kh .switch button')
  await page.waitForSelector('#kh .state.well')
})

test('axe finds nothing at a county’s sign-in page, asked and refused', async (t) => {
  const page = await visit(t, town)
  await page.goto(`${town.world.demo}/login?upstream=ntpc`)
  await page.waitForSelector('#county-login')
  await isFine(t, page, 'county sign-in')
  await page.fill('#account', 'ntpctest')
  await page.fill('#password', 'wrong')
  await page.click('#county-login-submit')
  await page.waitForSelector('#county-problem')
  t.is(await page.inputValue('#account'), 'ntpctest')
  await isFine(t, page, 'county sign-in, wrong')
})

test('axe finds nothing in the demo app: signed out, signed in, and after a failure', async (t) => {
  const page = await visit(t, town)
  await page.goto(town.world.demo)
  await isFine(t, page, 'signed out')
  await page.goto(`${town.world.demo}/partner`)
  await isFine(t, page, 'partner')
  await page.goto(`${town.world.demo}/login`)
  await page.click('#cancel-submit')
  await page.waitForSelector('#failure')
  await isFine(t, page, 'failure')
  await page.goto(`${town.world.demo}/login?upstream=tc`)
  await page.click('.person')
  await page.waitForSelector('#claims')
  await isFine(t, page, 'signed in')
})

test('axe finds nothing in the mailbox, empty and full, and in a mail, whose button opens beside it', async (t) => {
  const { world } = town
  const page = await visit(t, town)
  await page.goto(`${world.counties}/mail`)
  await isFine(t, page, 'empty mailbox')
  const link = `${world.issuer}/?from=mail`
  const letter = world.house.writeLetter({
    kind: 'reset',
    to: `${'somebody.with.a.long.name.'.repeat(2)}@mail.edu.tw`,
    language: 'zh-TW',
    link,
    params: { account: 'wang@mail.edu.tw', lasts: 3600 },
  })
  const post = openPost(world.ports[2])
  t.is((await post(letter, 'a-reset')).kind, 'delivered')
  await page.goto(`${world.counties}/mail`)
  await isFine(t, page, 'mailbox')
  await page.click('#mails a')
  await page.waitForSelector('#page iframe')
  await isFine(t, page, 'a mail')
  const frame = page.frameLocator('#page iframe')
  const beside = page.context().waitForEvent('page')
  await frame.locator('a.button').click()
  const opened = await beside
  await opened.waitForURL(link)
  // Citygate's own scripts run there: the tab is not in the mail's sandbox.
  t.is(await opened.evaluate(() => self.origin), world.issuer)
})

test('a mail that means ill neither runs nor leads its frame away', async (t) => {
  const { world } = town
  const context = await town.chromium.newContext()
  t.teardown(() => context.close())
  const arrived: (string | undefined)[] = []
  const evil = createServer((request, response) => {
    arrived.push(request.url)
    response.end('evil')
  })
  const port = await freePort()
  await new Promise<void>((resolve) => evil.listen(port, '127.0.0.1', resolve))
  t.teardown(() => evil.close())
  const html = `<html><head><meta http-equiv="refresh" content="0;url=http://localhost:${port}/refreshed"></head>
    <body><p id="there">還在</p><script>document.body.innerHTML = 'ran'; top.location = 'http://localhost:${port}/top'</script>
    <img src="http://localhost:${port}/pixel" onerror="document.body.innerHTML = 'ran'">
    <a id="away" target="_self" href="http://localhost:${port}/away">x</a>
    <form action="http://localhost:${port}/form"><button id="send">x</button></form></body></html>`
  const post = openPost(world.ports[2])
  const mail = { to: 'wang@mail.edu.tw', subject: 'x', text: 'x', html }
  t.is((await post(mail, 'ill')).kind, 'delivered')
  const page = await context.newPage()
  await page.goto(`${world.counties}/mail/ill`)
  const frame = page.frameLocator('#page iframe')
  await frame.locator('#send').click()
  t.is(await frame.locator('#there').textContent(), '還在')
  await page.waitForTimeout(500)
  t.is(await frame.locator('#there').textContent(), '還在')
  t.is(page.url(), `${world.counties}/mail/ill`)
  await frame.locator('#away').click()
  await page.waitForTimeout(500)
  await page.goto(`${world.counties}/mail/ill/page`)
  await page.waitForTimeout(500)
  t.is(page.url(), `${world.counties}/mail/ill/page`)
  t.is(await page.textContent('#there'), '還在')
  t.deepEqual(arrived, [])
})
