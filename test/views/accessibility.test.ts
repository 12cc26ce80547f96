import { AxeBuilder } from '@axe-core/playwright'
import test, { type ExecutionContext } from 'ava'
import type { Browser, Page } from 'playwright-core'
import { fixtures, type languages } from './fixtures.ts'
import { launch, openSite, type Site, screen } from './site.ts'

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

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

// Legacy mode spares a second page per run; our pages have no frames, for which alone it is less thorough.
async function faults(page: Page, only?: string): Promise<string[]> {
  const builder = new AxeBuilder({ page })
    .setLegacyMode(true)
    .options({ resultTypes: ['violations'] })
  const axe = only ? builder.withRules(only) : builder.withTags(rules)
  const { violations } = await axe.analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`),
  )
}

/** What can be pressed and is less than 24 px high or wide (WCAG 2.2, 2.5.8). */
const tooSmall = (page: Page): Promise<string[]> =>
  page.locator('a:visible, button:visible, input:visible, select:visible').evaluateAll((all) =>
    all
      .filter((one) => !one.matches('.skip'))
      .map((one) => ({ is: one.outerHTML.slice(0, 80), box: one.getBoundingClientRect() }))
      .filter(({ box }) => box.width < 24 || box.height < 24)
      .map(({ is }) => is),
  )

/** Of each view the first of its states. */
const firstOfEach = (lang: (typeof languages)[number]) => {
  const seen = new Set<string>()
  return fixtures(lang).filter(({ view }) => !seen.has(view) && seen.add(view))
}

/** A state that is like another one of its view: a list with other rows, a page with another notice. */
const likeAnother = (lang: (typeof languages)[number]) => {
  const first = new Set(firstOfEach(lang).map(({ name }) => name))
  return new Set(
    fixtures(lang).flatMap(({ name, locals }) => {
      const slipped =
        ('problems' in locals && Object.keys(locals.problems ?? {}).length > 0) ||
        ('problem' in locals && locals.problem !== undefined)
      return slipped || first.has(name) ? [] : [name]
    }),
  )
}

const wider = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

async function open(t: ExecutionContext, lang: (typeof languages)[number], width: number) {
  const context = await browser.newContext(screen(lang, width))
  t.teardown(() => context.close())
  const page = await context.newPage()
  const refused: string[] = []
  page.on('console', (line) => refused.push(line.text()))
  // Colours are judged where they come to rest.
  await page.emulateMedia({ reducedMotion: 'reduce' })
  return { page, refused }
}

/*
 * Every state in English, whose words are the long ones, on a phone: axe looks at one of each view and at those where
 * something was wrong. Once more in Chinese on a desk, in the dark, where nothing differs but the colours. What axe finds hangs
 * on the boxes; words and states in the other language have tests of their own.
 */
test('axe finds nothing on a phone, what can be pressed is large enough, and nothing sticks out at 320 px', async (t) => {
  t.timeout(300_000)
  const { page, refused } = await open(t, 'en', 360)
  const { height = 740 } = page.viewportSize() ?? {}
  const alike = likeAnother('en')
  t.true(fixtures('en').length - alike.size > 100)
  for (const { name } of fixtures('en')) {
    await page.setViewportSize({ width: 360, height })
    await page.goto(site.url('en', name))
    if (!alike.has(name)) t.deepEqual(await faults(page), [], name)
    t.deepEqual(await tooSmall(page), [], name)
    await page.setViewportSize({ width: 320, height })
    t.is(await wider(page), 0, `${name} is wider than 320 px`)
  }
  t.deepEqual(refused, [], 'the policy refused something')
})

test('in the dark everything can be read', async (t) => {
  t.timeout(300_000)
  const { page, refused } = await open(t, 'zh-TW', 1280)
  await page.emulateMedia({ colorScheme: 'dark' })
  // The console's pages are of the same parts.
  const console = ['admin', 'admin-client', 'admin-person', 'admin-keys', 'admin-statistics']
  const looked = firstOfEach('zh-TW').filter(
    ({ view }) => !view.startsWith('admin') || console.includes(view),
  )
  for (const { name } of looked) {
    await page.goto(site.url('zh-TW', name))
    t.deepEqual(await faults(page, 'color-contrast'), [], name)
  }
  t.deepEqual(refused, [], 'the policy refused something')
})

test('the keyboard reaches everything on the sign-in page in the order it is read', async (t) => {
  const context = await browser.newContext(screen('en', 1280))
  const page = await context.newPage()
  await page.goto(site.url('en', 'sign-in'))
  const order: string[] = []
  for (let i = 0; i < 16; i++) {
    await page.keyboard.press('Tab')
    order.push(
      await page.evaluate(() => {
        const at = document.activeElement
        const { outlineStyle, outlineWidth } = at ? getComputedStyle(at) : {}
        const visible = outlineStyle === 'solid' && outlineWidth === '3px'
        return `${at?.id || at?.className}${visible ? '' : ' (focus not visible)'}`
      }),
    )
  }
  t.deepEqual(order, [
    'skip',
    'brand',
    'language-zh-tw',
    'connector-search',
    'connector',
    'county-remember',
    'county-submit',
    'account',
    'password',
    'password-show',
    'local-remember',
    'local-submit',
    'reset-link',
    'resend-link',
    'join-link',
    'cancel-submit',
    ...order.slice(16),
  ])
  await context.close()
})

test('after a slip the page opens on the summary, which leads to the field', async (t) => {
  const context = await browser.newContext({ ...screen('en', 360), javaScriptEnabled: true })
  const page = await context.newPage()
  await page.goto(site.url('en', 'sign-in-wrong'))
  t.is(await page.evaluate(() => document.activeElement?.id), 'problem')
  t.is(await page.inputValue('#account'), 'mei@mail.edu.tw')
  t.is(await page.inputValue('#password'), '')
  t.regex(await page.title(), /^Error: /)
  t.is(await page.getAttribute('#account', 'aria-describedby'), 'local-problem-here')
  await page.click('#problem a')
  t.is(await page.evaluate(() => document.activeElement?.id), 'account')
  await context.close()
})
