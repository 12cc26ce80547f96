import { AxeBuilder } from '@axe-core/playwright'
import { fixtures, languages } from './fixtures.ts'
import { launch, openSite, screen } from './site.ts'
const names = ['status','status-nobody','problem-upstream-down','sign-in-counties-away']
const site = await openSite(); const browser = await launch()
for (const lang of languages) for (const width of [320, 360, 1280]) for (const scheme of ['light','dark'] as const) {
  const context = await browser.newContext(screen(lang, width, scheme)); const page = await context.newPage()
  for (const { name } of fixtures(lang)) { if (!names.includes(name)) continue
    await page.goto(site.url(lang, name)); await page.setViewportSize({ width, height: 800 })
    const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).withTags(['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']).analyze()
    for (const v of violations) console.log(lang, width, scheme, name, v.id, v.nodes.map(n=>n.html.slice(0,160)).join(' | '))
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    if (over > 0) console.log('overflow', lang, width, name, over)
    const small = await page.evaluate(() => [...document.querySelectorAll('a,button')].map(e => ({e:e.outerHTML.slice(0,80), r:e.getBoundingClientRect()})).filter(({r}) => r.height>0 && r.height<24).map(x=>x.e))
    if (small.length) console.log('small', name, small.join(' '))
  }
  await context.close()
}
await browser.close(); await site.close(); console.log('done')
