/** A member's own pages in a real browser: on a phone and on a desk, with and without scripts, by eye and by axe. */
import test from 'ava'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { accountPages } from '#oidc/provider.ts'
import { focusComesTo, openTown, screens, type Town, visit } from '../helpers/chromium-town.ts'
import { faultless } from '../helpers/faultless.ts'

let town: Town
test.before(async () => {
  town = await openTown()
})
test.after.always(() => town?.close())

let people = 0
async function comeIn(page: Page, path = '/account') {
  const person = await town.world.buildPerson({ account: `browser${people++}@mail.edu.tw` })
  await page.goto(town.world.issuer + path)
  await page.fill('#account', person.account)
  await page.fill('#password', person.password)
  await page.click('#local-submit')
  return person
}

// On a phone they are looked at as views (test/views/accessibility).
test('axe finds nothing on any of her pages, and nothing sticks out', async (t) => {
  const page = await visit(t, town, { viewport: screens.desktop })
  await comeIn(page)
  for (const path of accountPages) {
    await page.goto(`${town.world.issuer}${path}?lang=zh-TW`)
    await faultless(t, page, path)
  }
})

for (const javaScriptEnabled of [true, false])
  test(`she changes profile, picture and password, JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, async (t) => {
    const page = await visit(t, town, { viewport: screens.phone, javaScriptEnabled })
    const person = await comeIn(page)
    await page.click('#nav-profile')
    t.is(await page.getAttribute('#nav-profile', 'aria-current'), 'page')
    await page.fill('#nickname', '小明')
    await page.selectOption('#gender', 'male')
    await page.click('#profile-submit')
    await page.waitForSelector('#notice')
    t.is(await page.inputValue('#nickname'), '小明')

    const buffer = await sharp({
      create: { width: 40, height: 60, channels: 3, background: 'teal' },
    })
      .png()
      .toBuffer()
    await page.setInputFiles('#picture', { name: 'me.png', mimeType: 'image/png', buffer })
    await page.click('#picture-submit')
    await page.waitForSelector('img.face')

    await page.click('#own-menu')
    await page.click('#nav-password')
    await page.fill('#current', 'not this one')
    await page.fill('#password', 'a quite different phrase 77')
    await page.fill('#again', 'a quite different phrase 77')
    await page.click('#password-submit')
    await page.waitForSelector('#problem[role=alert]')
    await focusComesTo(page, 'problem')
    t.is(await page.inputValue('#password'), '')
    await page.click('#problem a')
    await focusComesTo(page, 'current')
    if (javaScriptEnabled) await faultless(t, page, 'a slip')
    await page.fill('#current', person.password)
    await page.fill('#password', 'a quite different phrase 77')
    await page.fill('#again', 'a quite different phrase 77')
    await page.click('#password-submit')
    await page.waitForSelector('#notice')

    await page.click('#own-menu')
    await page.click('#nav-export')
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('#export-submit')])
    t.regex(file.suggestedFilename(), /^educloud-.*\.json$/)

    await page.click('#own-menu')
    await page.click('#nav-close')
    await page.fill('#phrase', person.account)
    await page.click('#close-submit')
    await page.waitForSelector('#account-closed')
    await page.click('#reopen-link')
    await page.fill('#account', person.account)
    await page.fill('#password', 'a quite different phrase 77')
    await page.click('#local-submit')
    await page.click('#next-reopen')
    t.is(await page.innerText('#account-name'), person.name)
  })

test('she links and unlinks a county', async (t) => {
  const page = await visit(t, town)
  await comeIn(page, '/account/identities')
  await page.selectOption('#connector', 'tc')
  await page.click('#link-submit')
  await page.fill('#county-login #account', 'tctest')
  await page.fill('#password', 'tctest')
  await page.click('#county-login-submit')
  await page.waitForSelector('#unlink-0')
  await faultless(t, page, 'linked')
  await page.click('#unlink-0')
  await page.waitForSelector('#no-identities')
})
