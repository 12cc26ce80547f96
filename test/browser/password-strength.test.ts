/** The meter beside a new password. */
import { AxeBuilder } from '@axe-core/playwright'
import test from 'ava'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { openPasswordRules } from '#accounts/password-rules.ts'
import { chromiumFlags, findChromium } from '../helpers/chromium.ts'
import { openPage } from '../views/one-page.ts'

let browser: Browser
test.before(async () => {
  const executablePath = findChromium()
  browser = await chromium.launch({ executablePath, args: chromiumFlags })
})
test.after.always(() => browser?.close())

const template = `<h1>Trial</h1>
<form id="form" method="post" action="/">
  <label for="account">Account</label>
  <input type="text" id="account" name="account" value="wang@mail.edu.tw" autocomplete="username">
  <label for="password">Password</label>
  <input type="password" id="password" name="password" autocomplete="new-password">
  <%- part('strength', { field: 'password', about: ['account'], min: 10 }) %>
  <button type="submit">Send</button>
</form>`

async function visit(page: Page, url: string) {
  const refused: string[] = []
  page.on('console', (line) => refused.push(line.text()))
  page.on('pageerror', (error) => refused.push(error.message))
  await page.goto(url)
  return refused
}

const pageOf = async (options: BrowserContextOptions = {}) =>
  (await browser.newContext(options)).newPage()

/** What the meter says once it has judged `password`. */
async function type(page: Page, password: string, wanted: RegExp) {
  await page.fill('#password', '')
  await page.waitForSelector('.strength', { state: 'hidden' })
  await page.fill('#password', password)
  const said = page.locator('.strength [role=status]', { hasText: wanted })
  await said.waitFor({ timeout: 60_000 })
  return Number(await page.getAttribute('.strength meter', 'value'))
}

test('it is fetched when the password is come to, from our address, and says what it finds', async (t) => {
  const site = await openPage(t, template, {})
  const page = await pageOf({ viewport: { width: 360, height: 740 } })
  const refused = await visit(page, site.url('zh-TW'))
  await page.focus('#account')
  t.true(await page.isHidden('.strength'))
  t.deepEqual(
    site.asked.filter((path) => path.includes('zxcvbn')),
    [],
  )

  await page.focus('#password')
  t.is(await type(page, 'abc', /^還不到 10 個字$/), 0)
  t.is(site.asked.filter((path) => path.includes('zxcvbn')).length, 2)
  t.true((await type(page, 'P@ssw0rd2026', /^強度：弱$/)) < 2)
  t.is(await type(page, 'correct horse battery staple', /^強度：很好$/), 4)
  t.true((await type(page, 'wang@mail.edu.tw', /^強度：弱$/)) < 2, 'her own account is weak')
  await page.fill('#password', '')
  await page.waitForSelector('.strength', { state: 'hidden' })
  t.deepEqual(refused, [], 'the policy refused something')
})

test('it is named, and readable in the dark', async (t) => {
  const site = await openPage(t, template, {})
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await pageOf({ viewport: { width: 360, height: 740 }, colorScheme })
    await visit(page, site.url('en'))
    await page.focus('#password')
    await type(page, 'correct horse battery staple', /^Strength: very good$/)
    const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
    t.deepEqual(
      violations.map(({ id }) => id),
      [],
    )
    t.is(await page.getByRole('meter', { name: 'Password strength' }).count(), 1)
    t.true((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360)
  }
})

test('it calls weak what the server refuses, and nothing else', async (t) => {
  const site = await openPage(t, template, {})
  const page = await pageOf()
  await visit(page, site.url('en'))
  await page.focus('#password')
  const judge = openPasswordRules()
  const passwords = [
    'aaaaaaaaaaaa',
    'qwertyuiop',
    '20081121123',
    'x7Gq-92Lmw',
    '看海豚跳舞週末在花蓮',
    'woaini520520x',
  ]
  for (const password of passwords) {
    const score = await type(page, password, /^Strength: /)
    const refused = await judge(password, ['wang@mail.edu.tw'])
    t.is(score < 2, refused !== undefined, password)
  }
})

test('without JavaScript, and for who saves data, the form is as any other', async (t) => {
  const site = await openPage(t, template, {})
  const page = await pageOf({ javaScriptEnabled: false })
  await page.goto(site.url('zh-TW'))
  t.true(await page.isHidden('.strength'))

  const saving = await pageOf()
  await saving.addInitScript(() => {
    Object.defineProperty(navigator, 'connection', { value: { saveData: true } })
  })
  await saving.goto(site.url('zh-TW'))
  await saving.focus('#password')
  await saving.fill('#password', 'abc')
  await saving.waitForTimeout(500)
  t.true(await saving.isHidden('.strength'))
  t.deepEqual(
    site.asked.filter((path) => path.includes('zxcvbn')),
    [],
  )
})

test('a password that was typed before the meter arrived is judged when it does', async (t) => {
  const site = await openPage(t, template.replace('id="password"', 'id="password" autofocus'), {})
  const page = await pageOf()
  await page.goto(site.url('en'))
  await page.keyboard.type('correct horse battery staple')
  await page.locator('.strength [role=status]', { hasText: 'very good' }).waitFor()
  t.is(await page.getAttribute('.strength meter', 'value'), '4')
})
