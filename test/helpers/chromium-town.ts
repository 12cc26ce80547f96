/** A whole Citygate with its sandbox and a real Chromium, shared by the stories of one test file. */
import type { ExecutionContext } from 'ava'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import { chromiumFlags, findChromium } from './chromium.ts'
import { buildWorld, type World } from './world.ts'

type Options = Pick<
  NonNullable<Parameters<typeof buildWorld>[1]>,
  'ports' | 'env' | 'enrolments' | 'agreements' | 'limits'
>

export type Town = { world: World; chromium: Browser; close(): Promise<void> }

/** Opens both; for `test.before`, with `close` in `test.after.always`. */
export async function openTown(options: Options = {}): Promise<Town> {
  // AVA's hooks have no teardown of their own: what a world asks to be closed is kept for `close`.
  const leftovers: (() => unknown)[] = []
  const t = { teardown: (leftover: () => unknown) => leftovers.push(leftover) }
  const [world, browser] = await Promise.all([
    buildWorld(t as unknown as ExecutionContext, { sandbox: true, ...options }),
    chromium.launch({ executablePath: findChromium(), args: chromiumFlags }),
  ])
  return {
    world,
    chromium: browser,
    async close() {
      await browser.close()
      for (const leftover of leftovers.reverse()) await leftover()
    },
  }
}

/** The screens every page must stand. */
export const screens = {
  phone: { width: 360, height: 740 },
  desktop: { width: 1280, height: 800 },
}

/** A person with a browser of her own. The test fails when that browser had anything to complain of. */
export async function visit(
  t: ExecutionContext,
  town: Town,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await town.chromium.newContext({
    locale: 'zh-TW',
    viewport: screens.desktop,
    // Colours are judged where they come to rest.
    reducedMotion: 'reduce',
    ...options,
  })
  const complaints = hearComplaints(context)
  t.teardown(async () => {
    await context.close()
    const heard = complaints()
    if (heard.length > 0) throw new Error(`Chromium complained:\n${heard.join('\n')}`)
  })
  return context.newPage()
}

/** What the browser says went wrong on any page: scripts, policies, missing files. */
export function hearComplaints(context: BrowserContext): () => string[] {
  // Two cores drive a dozen people at once.
  context.setDefaultTimeout(60_000)
  const pages = new Set<string>()
  const heard: { url: string; text: string }[] = []
  context.on('response', (response) => {
    if (response.request().isNavigationRequest()) pages.add(response.url())
  })
  context.on('weberror', (problem) => heard.push({ url: '', text: problem.error().message }))
  context.on('console', (line) => heard.push({ url: line.location().url, text: line.text() }))
  // A problem page has a status of its own, of which Chromium speaks too; that page is what was asked for.
  const ofProblemPage = (text: string, url: string) =>
    text.startsWith('Failed to load resource: the server responded') && pages.has(url)
  return () => heard.filter(({ text, url }) => !ofProblemPage(text, url)).map(({ text }) => text)
}

/** Presses Tab until the field or button of that id has the keyboard. */
export async function tabTo(page: Page, id: string): Promise<void> {
  await page.waitForLoadState()
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press('Tab')
    if ((await focused(page)) === id) return
  }
  throw new Error(`Tab never reached #${id} on ${page.url()}`)
}

export const focused = (page: Page) => page.evaluate(() => document.activeElement?.id)

/** Waits until the element of that id has the keyboard: a page gives it to one when it is drawn, not when it is read. */
export const focusComesTo = (page: Page, id: string) => page.waitForSelector(`#${id}:focus`)

/** From our sign-in page through a county's, with that person of its test accounts. */
export async function signInAt(page: Page, county: string, account = `${county}test`) {
  await page.selectOption('#connector', county)
  await page.click('#county-submit')
  await page.fill('#county-login #account', account)
  await page.fill('#password', account)
  await page.click('#county-login-submit')
}
