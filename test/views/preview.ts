/** Takes pictures of every page: `npx node test/views/preview.ts OUTDIR [name …]`. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fixtures, languages } from './fixtures.ts'
import { launch, openSite, screen } from './site.ts'

const [out, ...only] = process.argv.slice(2)
if (!out) throw new Error('usage: node test/views/preview.ts OUTDIR [name …]')
mkdirSync(out, { recursive: true })

const alsoDark = new Set(['sign-in', 'sign-in-wrong', 'problem-upstream', 'consent', 'home'])
const site = await openSite()
const browser = await launch()
for (const lang of languages)
  for (const width of [360, 1280])
    for (const scheme of ['light', 'dark'] as const) {
      const context = await browser.newContext(screen(lang, width, scheme))
      const page = await context.newPage()
      page.on('console', (line) => console.warn(`${lang} ${page.url()}: ${line.text()}`))
      for (const { name } of fixtures(lang)) {
        if (scheme === 'dark' && !alsoDark.has(name)) continue
        if (only.length > 0 && !only.includes(name)) continue
        await page.goto(site.url(lang, name))
        await page.screenshot({
          path: join(out, `${name}.${lang}.${width}.${scheme}.png`),
          fullPage: true,
        })
      }
      await context.close()
    }
await browser.close()
await site.close()
