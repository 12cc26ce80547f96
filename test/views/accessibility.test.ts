import { AxeBuilder } from '@axe-core/playwright'
import test from 'ava'
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
  const builder = new AxeBuilder({ page }).setLegacyMode(true)
  const axe = only ? builder.withRules(only) : builder.withTags(rules)
  const { violations } = await axe.analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`),
  )
}

/** Both languages and both widths, each once: what axe finds hangs on the boxes, and words and widths on other tests. */
const looks: [lang: (typeof languages)[number], widths: number[]][] = [
  ['zh-TW', [360]],
  ['en', [1280]],
]

for (const [lang, widths] of looks)
  test(`axe finds nothing in ${lang}, light and dark, at ${widths.join(' and ')} px`, async (t) => {
    t.timeout(300_000)
    const context = await browser.newContext(screen(lang, 1280))
    const page = await context.newPage()
    const refused: string[] = []
    page.on('console', (line) => refused.push(line.text()))
    for (const { name } of fixtures(lang)) {
      await page.goto(site.url(lang, name))
      for (const width of widths) {
        await page.setViewportSize({ width, height: 800 })
        // Colours are judged where they come to rest.
        await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
        t.deepEqual(await faults(page), [], `${name}, ${width} px, light`)
        // In the dark nothing differs but the colours.
        await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
        t.deepEqual(await faults(page, 'color-contrast'), [], `${name}, ${width} px, dark`)
      }
    }
    t.deepEqual(refused, [], 'the policy refused something')
    await context.close()
  })

test('at 320 px nothing needs sideways scrolling', async (t) => {
  const context = await browser.newContext({ viewport: { width: 320, height: 640 } })
  const page = await context.newPage()
  // English words are the long ones.
  for (const { name } of fixtures('en')) {
    await page.goto(site.url('en', name))
    const wide = await page.evaluate(() => document.documentElement.scrollWidth)
    t.true(wide <= 320, `${name} is ${wide} px wide`)
  }
  await context.close()
})

test('what can be pressed is at least 24 px high and wide', async (t) => {
  const context = await browser.newContext(screen('zh-TW', 360))
  const page = await context.newPage()
  for (const { name } of fixtures('zh-TW')) {
    await page.goto(site.url('zh-TW', name))
    const small = await page
      .locator('a:visible, button:visible, input:visible, select:visible')
      .evaluateAll((all) =>
        all
          .filter((one) => !one.matches('.skip'))
          .map((one) => ({ is: one.outerHTML.slice(0, 80), box: one.getBoundingClientRect() }))
          .filter(({ box }) => box.width < 24 || box.height < 24)
          .map(({ is }) => is),
      )
    t.deepEqual(small, [], name)
  }
  await context.close()
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
