/** Takes the README's picture from the whole app: `npx node docs/screenshot.ts`. */
import { join } from 'node:path'
import { openTown, screens } from '../test/helpers/chromium-town.ts'

const town = await openTown({ ports: [3000, 3001, 3002] })
const page = await town.chromium.newPage({
  locale: 'zh-TW',
  viewport: screens.desktop,
  colorScheme: 'light',
})
await page.goto(town.world.demo)
await page.click('#sign-in')
await page.selectOption('#connector', 'ntpc')
await page.screenshot({ path: join(import.meta.dirname, 'sign-in.png'), fullPage: true })
await town.close()
