/** Somebody at the sign-in form, from any address in the world, and what she is told. */
import { setTimeout } from 'node:timers/promises'
import { type Browser, openBrowser, type Page } from './browser.ts'
import type { RelyingParty } from './relying-party.ts'
import type { World } from './world.ts'

/** The test's own machine is the proxy: every address in the world may come through it. */
export const proxied = { TRUSTED_PROXIES: '127.0.0.0/8, ::1' }
export const home = '192.0.2.10'
export const attacker = '198.51.100.66'

export type Clock = ReturnType<typeof openClock>

/** A clock that stands still until the test moves it. */
export function openClock() {
  let at = Date.now()
  return {
    now: () => at,
    pass(seconds: number) {
      at += seconds * 1000
    },
  }
}

/** How many passwords were looked at. */
export const countHashes = (world: World): (() => number) => countHashesOfCrowd([world], 1)

/**
 * The same where many knock at once: none is answered before so many are being looked at, or a few seconds have passed.
 * On a slow machine the first would be refused before the last has come, and whoever comes then has to wait.
 */
export function countHashesOfCrowd(worlds: World[], atOnce: number): () => number {
  let count = 0
  const all = Promise.withResolvers<void>()
  for (const { house } of worlds) {
    const { passwords } = house
    const { verify } = passwords
    passwords.verify = async (...given) => {
      count++
      if (count >= atOnce) all.resolve()
      await Promise.race([all.promise, setTimeout(5_000)])
      return verify(...given)
    }
  }
  return () => count
}

export type Door = {
  browser: Browser
  page: Page
  /** Types a name and a password, as if from that address. */
  knock(account: string, password: string, from?: string): Promise<Page>
}

export async function openDoor(
  rp: RelyingParty,
  browser = openBrowser(),
  from?: string,
): Promise<Door> {
  const page = await browser.open(rp.authorize(), {
    headers: from ? { 'x-forwarded-for': from } : {},
  })
  const form = page.document.querySelector('#local-form')
  const token = form?.querySelector('input[name=form_token]')?.getAttribute('value') ?? ''
  const action = new URL(form?.getAttribute('action') ?? '', page.url).href
  return {
    browser,
    page,
    knock: (account, password, from) =>
      browser.open(action, {
        method: 'POST',
        body: new URLSearchParams({ form_token: token, account, password }),
        headers: { 'sec-fetch-site': 'same-origin', ...(from ? { 'x-forwarded-for': from } : {}) },
      }),
  }
}

export const retryAfter = ({ headers }: { headers: Headers }) =>
  Number(headers.get('retry-after') ?? 0)

/** What the page says, without what differs between any two pages. */
export const words = ({ document }: Page) =>
  document
    .querySelector('main')
    ?.textContent.replace(/\s+/g, ' ')
    .replace(/[A-Z0-9]{10}/g, 'REF')
