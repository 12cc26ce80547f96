import { AxeBuilder } from '@axe-core/playwright'
import test from 'ava'
import { fixtures } from './fixtures.ts'
import { launch, openSite, screen } from './site.ts'
test('x', async (t) => {
  t.timeout(300_000)
  const site = await openSite(); const browser = await launch()
  const page = await (await browser.newContext(screen('zh-TW', 1280))).newPage()
  const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  for (const lang of ['zh-TW', 'en'] as const)
  for (const { name } of fixtures(lang).filter((f) => f.name.startsWith('account'))) {
    await page.goto(site.url(lang, name))
    for (const [width, colorScheme] of [[360, 'dark'], [1280, 'light']] as const) {
      await page.setViewportSize({ width, height: 800 })
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      const { violations } = await new AxeBuilder({ page }).withTags(rules).setLegacyMode(true).analyze()
      t.deepEqual(violations.flatMap(({ id, nodes }) => nodes.map((n) => id + n.html.slice(0, 200))), [], `${lang} ${name} ${width}`)
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 })
  await page.goto(site.url('zh-TW', 'account')); await page.screenshot({ path: '/tmp/a1.png', fullPage: true })
  await page.setViewportSize({ width: 360, height: 800 })
  await page.goto(site.url('zh-TW', 'account-profile')); await page.screenshot({ path: '/tmp/a2.png', fullPage: true })
  await browser.close(); await site.close()
})
