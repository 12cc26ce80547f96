/** A second app, from outside: known people are asked what it may learn, and nothing else. */
import test from 'ava'
import type { Page } from 'playwright-core'
import { openTown, signInAt, type Town, visit } from '../helpers/chromium-town.ts'

let town: Town
test.before(async () => {
  town = await openTown()
})
test.after.always(() => town?.close())

/** Signed in at our own app, on the page of the one from outside. */
async function arriveAtPartner(page: Page, county: string) {
  await page.goto(town.world.demo)
  await page.click('#sign-in')
  await signInAt(page, county)
  await page.waitForSelector('#claims')
  await page.click('#app-partner')
}

for (const javaScriptEnabled of [true, false])
  test(`consent is asked once, without a second sign-in, JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, async (t) => {
    const page = await visit(t, town, { javaScriptEnabled })
    await arriveAtPartner(page, javaScriptEnabled ? 'kh' : 'tc')
    await page.click('#sign-in')
    await page.waitForSelector('#consent-form')
    await page.waitForLoadState()
    t.is(await page.innerText('#page-consent h1'), '校外測驗平台想取得您的資料')
    t.is(await page.innerText('#app-host'), new URL(town.world.demo).host)
    t.is(await page.locator('.ticks > li').count(), 5)
    await page.click('#consent-allow')
    await page.waitForSelector('#claims')
    t.is(page.url(), `${town.world.demo}/partner`)

    await page.click('#sign-out')
    await page.click('#sign-out-no')
    await page.waitForSelector('#sign-in')
    await page.click('#sign-in')
    await page.waitForSelector('#claims')
    t.is(page.url(), `${town.world.demo}/partner`)
  })

test('who does not agree is told so by the app, and may think again', async (t) => {
  const page = await visit(t, town, { locale: 'en' })
  await arriveAtPartner(page, 'ylc')
  await page.click('#sign-in')
  t.is(await page.innerText('#consent-deny'), 'Do not agree')
  await page.click('#consent-deny')
  await page.waitForSelector('#failure')
  t.is(await page.innerText('#failure'), 'access_denied')
  await page.click('#sign-in')
  await page.click('#consent-allow')
  await page.waitForSelector('#claims')
})

test('an app that asks again shows again what it gets', async (t) => {
  const page = await visit(t, town)
  await arriveAtPartner(page, 'hlc')
  await page.click('#sign-in')
  await page.click('#consent-allow')
  await page.waitForSelector('#claims')
  await page.goto(`${town.world.demo}/partner/login?prompt=consent`)
  // What it may see is not nothing.
  await page.waitForSelector('#scope-profile')
  t.pass()
})
