/** Takes the README's pictures, the sign-in page's from the whole app: `npx node docs/screenshot.ts`. */
import { join } from 'node:path'
import { openTown, screens } from '../test/helpers/chromium-town.ts'
import { openSite } from '../test/views/site.ts'

const picture = (name: string) => join(import.meta.dirname, `${name}.png`)

const town = await openTown({ ports: [3000, 3001, 3002] })
const page = await town.chromium.newPage({
  locale: 'zh-TW',
  viewport: screens.desktop,
  colorScheme: 'light',
})
await page.goto(town.world.demo)
await page.click('#sign-in')
await page.selectOption('#connector', 'ntpc')
await page.screenshot({ path: picture('sign-in'), fullPage: true })

// A world as new as this one has nothing to count.
const site = await openSite()
await page.goto(site.url('zh-TW', 'admin-statistics'))
const clip = { x: 0, y: 0, width: screens.desktop.width, height: 1010 }
await page.screenshot({ path: picture('console'), fullPage: true, clip })
await site.close()
await town.close()
