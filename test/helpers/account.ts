/** A member in her own pages. */
import { type Browser, openBrowser, type Page } from './browser.ts'
import type { World } from './world.ts'

export type Member = Awaited<ReturnType<World['buildPerson']>> & {
  browser: Browser
  /** One of her pages. */
  open(path: string): Promise<Page>
}

/** Somebody with a password, signed in at her own page. */
export async function openMember(
  world: World,
  overrides: { account?: string; name?: string } = {},
  agent = 'Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36',
): Promise<Member> {
  const person = await world.buildPerson(overrides)
  const browser = openBrowser({ 'user-agent': agent })
  await signInAgain(world, browser, person)
  return { ...person, browser, open: (path) => browser.open(`${world.issuer}${path}`) }
}

/** At `/account`, in any browser. */
export async function signInAgain(
  world: World,
  browser: Browser,
  { account, password }: { account: string; password: string },
): Promise<Page> {
  const page = await browser.open(`${world.issuer}/account`)
  return browser.submit(page, 'local-form', { account, password })
}

export const text = (page: Page, selector: string): string =>
  page.document.querySelector(selector)?.text.replace(/\s+/g, ' ').trim() ?? ''
