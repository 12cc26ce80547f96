/** A page as WCAG 2.2 AA wants it, as far as a machine can tell, and no wider than its screen. */
import { AxeBuilder } from '@axe-core/playwright'
import type { ExecutionContext } from 'ava'
import type { Page } from 'playwright-core'

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** In the page: true once all of its sheets are there. */
const isDressed = () =>
  [...document.querySelectorAll<HTMLLinkElement>('link[rel=stylesheet]')].every(
    ({ sheet }) => sheet,
  )

/** The first half of it, in whatever state the page is. */
export async function axeFindsNothing(t: ExecutionContext, page: Page, what: string) {
  await page.waitForFunction(isDressed)
  // Our pages have no frames; those of the sandbox's mailbox let no script in, axe's neither.
  const axe = new AxeBuilder({ page }).options({ iframes: false })
  const { violations } = await axe.withTags(rules).setLegacyMode(true).analyze()
  const faults = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
  t.deepEqual(faults, [], what)
}

export async function faultless(t: ExecutionContext, page: Page, what: string): Promise<void> {
  await axeFindsNothing(t, page, what)
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  t.is(wide, 0, `${what} scrolls sideways`)
}
