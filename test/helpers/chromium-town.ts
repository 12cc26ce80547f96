/** A whole Citygate with its sandbox and a real Chromium, shared by the stories of one test file. */
import type { ExecutionContext } from 'ava'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import { chromiumFlags, ensureChromium } from './chromium.ts'
import { buildWorld, type World } from './world.ts'

export type Town = { world: World; chromium: Browser; close(): Promise<void> }

/** Opens both; for `test.before`, with `close` in `test.after.always`. */
export async function openTown(): Promise<Town> {
  // AVA's hooks have no teardown of their own: what a world asks to be closed is kept for `close`.
  const leftovers: (() => unknown)[] = []
  const t = { teardown: (leftover: () => unknown) => leftovers.push(leftover) }
  const [world, browser] = await Promise.all([
    buildWorld(t as unknown as ExecutionContext, { sandbox: true }),
    chromium.launch({ executablePath: ensureChromium(), args: chromiumFlags }),
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

export type Visitor = {
  context: BrowserContext
  page: Page
  /** What the browser complained of on any page of this visitor: scripts, policies, missing files. */
  complaints: string[]
}

const mobile = { width: 360, height: 740 }
const desktop = { width: 1280, height: 800 }

/** The screens every page must stand. */
export const screens = { mobile, desktop }

/** A person with a browser of her own. At the end of the test the browser must have had nothing to complain of. */
export async function visit(
  t: ExecutionContext,
  town: Town,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const context = await town.chromium.newContext({
    locale: 'zh-TW',
    viewport: desktop,
    ...options,
  })
  context.setDefaultTimeout(10_000)
  const complaints: string[] = []
  context.on('weberror', (problem) => complaints.push(problem.error().message))
  context.on('console', (line) => {
    // A problem page answers with its own status, which Chromium prints; it is the page that was asked for.
    const own = line.text().startsWith('Failed to load resource') && isPage(line.page(), line)
    if (!own) complaints.push(`${line.page()?.url()}: ${line.text()}`)
  })
  t.teardown(async () => {
    await context.close()
  })
  return { context, page: await context.newPage(), complaints }
}

const isPage = (page: Page | null, line: { location(): { url: string } }) =>
  page !== null && line.location().url.split('#')[0] === page.url().split('#')[0]

/** Presses Tab until the field or button of that id has the keyboard. */
export async function tabTo(page: Page, id: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press('Tab')
    if ((await page.evaluate(() => document.activeElement?.id)) === id) return
  }
  throw new Error(`Tab never reached #${id} on ${page.url()}`)
}
