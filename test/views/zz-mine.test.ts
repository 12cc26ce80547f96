import { AxeBuilder } from '@axe-core/playwright'
import test from 'ava'
import { joiningFixtures } from './joining-fixtures.ts'
import { launch, openSite, render } from './site.ts'

const mine = /email-code|email-link|guardian|link-/
for (const lang of ['zh-TW', 'en'] as const)
  test(`render ${lang}`, (t) => {
    for (const f of joiningFixtures(lang, 'PaL').filter(({ name }) => mine.test(name))) {
      const html = render(f.view, { lang, ref: 'REF', url: '/here', locals: f.locals as never })
      t.is(html.match(/<h1[ >]/g)?.length, 1, f.name)
      t.notRegex(
        html.replace(/ data-[a-z]+="[^"]*"/g, ''),
        /undefined|\[object|NaN|\{[a-z]+\}/,
        f.name,
      )
      const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((m) => m[1])
      t.is(new Set(ids).size, ids.length, f.name)
      for (const [control] of html.matchAll(
        /<(?:form|button|select|input(?! type="hidden"))[^>]*>/g,
      ))
        t.regex(control, / id="/, `${f.name}: ${control}`)
    }
  })
test('axe', async (t) => {
  t.timeout(200000)
  const site = await openSite()
  const browser = await launch()
  const context = await browser.newContext({ viewport: { width: 360, height: 800 } })
  const page = await context.newPage()
  const { writeFileSync } = await import('node:fs')
  for (const lang of ['zh-TW', 'en'] as const)
    for (const f of joiningFixtures(lang, 'PaL').filter(({ name }) => mine.test(name))) {
      await page.goto(site.url(lang, f.name))
      for (const width of [1280, 320]) {
        await page.setViewportSize({ width, height: 800 })
        const { violations } = await new AxeBuilder({ page })
          .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
          .setLegacyMode(true)
          .analyze()
        t.deepEqual(
          violations.flatMap(({ id, nodes }) => nodes.map((n) => `${id}: ${n.html.slice(0, 160)}`)),
          [],
          `${lang} ${f.name} ${width}`,
        )
        const wide = await page.evaluate(() => document.documentElement.scrollWidth)
        t.true(wide <= width, `${f.name} ${wide}`)
        if (lang === 'zh-TW')
          writeFileSync(
            `/tmp/shot-${f.name}-${width}.png`,
            await page.screenshot({ fullPage: true }),
          )
      }
    }
  await browser.close()
  await site.close()
})
