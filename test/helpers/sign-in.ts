/** A person at our own sign-in form, and schools for her to act in. */
import { randomUUID } from 'node:crypto'
import { type Browser, openBrowser, type Page } from './browser.ts'
import type { RelyingParty } from './relying-party.ts'
import type { World } from './world.ts'

/** Signs the world's person in at our own form and stops wherever that leads: the app, or our next page. */
export async function signIn(
  world: World,
  rp: RelyingParty,
  more: Record<string, string | null> = {},
): Promise<{ person: Awaited<ReturnType<World['buildPerson']>>; browser: Browser; back: Page }> {
  const person = await world.buildPerson()
  const browser = openBrowser()
  const page = await rp.begin(browser, more)
  const { account, password } = person
  const back = await browser.submit(page, 'local-form', { account, password })
  return { person, browser, back }
}

/** Makes her a teacher at these schools, as New Taipei would vouch. */
export async function addSchools(world: World, accountId: string, codes: string[]): Promise<void> {
  const { store } = world.house
  const identityId = randomUUID()
  const readAt = Math.floor(Date.now() / 1000)
  await store.identities.link({
    id: identityId,
    accountId,
    connector: 'ntpc',
    issuer: 'https://ntpc.sso.edu.tw',
    subject: accountId,
    openid2Ids: ['https://openid.ntpc.edu.tw/user/wang'],
    raw: {},
    createdAt: 1,
    readAt,
  })
  await store.affiliations.replace(
    identityId,
    codes.map((schoolCode) => ({
      identityId,
      accountId,
      schoolCode,
      role: 'teacher',
      titles: ['教師'],
      classes: [],
      readAt,
    })),
  )
}
