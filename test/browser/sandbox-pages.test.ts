/** The sandbox is a newcomer's first sight of us: its pages stand the same test as our own. */
import { AxeBuilder } from '@axe-core/playwright'
import test, { type ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'
import { openTown, screens, type Town, visit } from '../helpers/chromium-town.ts'

let town: Town
test.before(async () => {
  town = await openTown()
})
test.after.always(() => town?.close())

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

async function isFine(t: ExecutionContext, page: Page, name: string) {
  for (const [screen, viewport] of Object.entries(screens))
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(viewport)
      await page.emulateMedia({ colorScheme })
      const { violations } = await new AxeBuilder({ page })
        .withTags(rules)
        .setLegacyMode(true)
        .analyze()
      const faults = violations.flatMap(({ id, nodes }) =>
        nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`),
      )
      t.deepEqual(faults, [], `${name}, ${screen}, ${colorScheme}`)
      const wide = await page.evaluate(() => document.documentElement.scrollWidth)
      t.true(wide <= viewport.width, `${name} is ${wide} px wide on a ${screen}`)
    }
}

test('axe finds nothing at the county index, healthy and broken', async (t) => {
  const page = await visit(t, town)
  await town.world.switchCounty('kh', 'wrong-nonce')
  await page.goto(town.world.counties)
  await isFine(t, page, 'index')
  await page.selectOption('#kh-mode', 'ok')
  await page.click('#kh .switch button')
  await page.waitForSelector('#kh .state.well')
})

test('axe finds nothing at a county’s sign-in page, asked and refused', async (t) => {
  const page = await visit(t, town)
  await page.goto(`${town.world.demo}/login?upstream=ntpc`)
  await page.waitForSelector('#county-login')
  await isFine(t, page, 'county sign-in')
  await page.fill('#account', 'ntpctest')
  await page.fill('#password', 'wrong')
  await page.click('#county-login-submit')
  await page.waitForSelector('#county-problem')
  t.is(await page.inputValue('#account'), 'ntpctest')
  await isFine(t, page, 'county sign-in, wrong')
})

test('axe finds nothing in the demo app: signed out, signed in, and after a failure', async (t) => {
  const page = await visit(t, town)
  await page.goto(town.world.demo)
  await isFine(t, page, 'signed out')
  await page.goto(`${town.world.demo}/partner`)
  await isFine(t, page, 'partner')
  await page.goto(`${town.world.demo}/login`)
  await page.click('#cancel-submit')
  await page.waitForSelector('#failure')
  await isFine(t, page, 'failure')
  await page.goto(`${town.world.demo}/login?upstream=tc`)
  await page.click('.person')
  await page.waitForSelector('#claims')
  await isFine(t, page, 'signed in')
})
