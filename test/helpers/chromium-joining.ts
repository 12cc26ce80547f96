/** Joining as people do it in a real browser: its pages, the county, the letters, and what every page must stand. */
import type { ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import { screens, type Town, visit } from './chromium-town.ts'
import { axeFindsNothing } from './faultless.ts'
import { password } from './joining.ts'

/** How somebody comes: her language, her screen, and whether her browser runs scripts. */
export type Way = { lang: 'zh-TW' | 'en'; screen: keyof typeof screens; scripts: boolean }

export const visitAs = (t: ExecutionContext, town: Town, { lang, screen, scripts }: Way) =>
  visit(t, town, { locale: lang, viewport: screens[screen], javaScriptEnabled: scripts })

/** Nothing for axe to find, and nothing that sticks out. */
export async function faultless(
  t: ExecutionContext,
  page: Page,
  { scripts }: Pick<Way, 'scripts'>,
) {
  await page.waitForLoadState()
  const what = `${await page.title()} ${page.url()}`
  const { size } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    return { size: scrollWidth - clientWidth }
  })
  t.is(size, 0, `${what} scrolls sideways`)
  const seen = scripts ? page : await withoutItsScripts(page)
  await axeFindsNothing(t, seen, what)
  if (seen !== page) await seen.context().close()
}

/** The page as it looks without scripts, in a browser that runs axe's. */
async function withoutItsScripts(page: Page): Promise<Page> {
  const body = (await page.content()).replace(/<script[^>]*><\/script>/g, '')
  const viewport = page.viewportSize()
  const context = await page.context().browser()?.newContext({ viewport })
  if (!context) throw new Error('the browser is gone')
  const copy = await context.newPage()
  await copy.route(page.url(), (route) => route.fulfill({ contentType: 'text/html', body }))
  await copy.goto(page.url())
  return copy
}

/** Reads the terms to their end, as far as scripts insist on it, and agrees. */
export async function agree(t: ExecutionContext, page: Page, { scripts }: { scripts: boolean }) {
  const submit = page.locator('#joining-submit')
  if (scripts) {
    t.true(await submit.isDisabled(), 'nobody agrees to what she has not seen')
    t.true(await page.isDisabled('#f-agree'))
    t.true(await page.isEnabled('#joining-disagree'))
    await page.hover('#terms')
    await page.mouse.wheel(0, 200)
    t.true(await submit.isDisabled())
    await page.mouse.wheel(0, 100_000)
  }
  await page.check('#f-agree')
  await submit.click()
}

/** From the front door to the form of that kind of people. */
export async function beginAs(
  t: ExecutionContext,
  page: Page,
  { town, kind, scripts = true }: { town: Town; kind: 'school' | 'other'; scripts?: boolean },
) {
  await page.goto(`${town.world.issuer}/join`)
  await agree(t, page, { scripts })
  await page.check(`input[value=${kind}]`)
  await page.click('#joining-submit')
}

/** Signs in at a county's page; every password of the sandbox is the account itself. */
export async function proveAtCounty(page: Page, account: string) {
  await page.waitForSelector('#county-login')
  await page.fill('#account', account)
  await page.fill('#password', account)
  await page.click('#county-login-submit')
}

export async function fillIn(page: Page, answers: Readonly<Record<string, string>>) {
  for (const [name, value] of Object.entries(answers)) await page.fill(`[name="${name}"]`, value)
}

/** The newest letter to an address, opened in the sandbox's mailbox once it is there. */
export async function openLetter(page: Page, town: Town, address: string) {
  const letters = page.locator('#mails li', { hasText: address })
  for (let looks = 0; looks < 100; looks++) {
    await page.goto(`${town.world.counties}/mail`)
    if ((await letters.count()) === 0) continue
    await letters.first().locator('a').click()
    return
  }
  throw new Error(`no letter to ${address}`)
}

/** Into the demo app with an account and its password. */
export async function signInLocally(page: Page, town: Town, account: string) {
  await page.goto(town.world.demo)
  await page.click('#sign-in')
  await page.fill('#account', account)
  await page.fill('#password', password)
  await page.click('#local-submit')
}
