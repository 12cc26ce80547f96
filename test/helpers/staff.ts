/** Staff at the console, in a browser without a screen. */
import { TOTP } from 'otpauth'
import { operatorActing } from '#admin/operation.ts'
import { inviteStaff } from '#admin/staff/inviting.ts'
import type { Grant } from '#admin/staff.ts'
import { openMember } from './account.ts'
import { type Browser, openBrowser, type Page } from './browser.ts'
import type { Clock } from './knocking.ts'
import type { World } from './world.ts'

export type Staff = Awaited<ReturnType<World['buildPerson']>> & {
  browser: Browser
  /** A page of the console: a path below the issuer. */
  open(path: string): Promise<Page>
  /** What she says at the API, as her browser would not: `Authorization` is the caller's to add. */
  ageBy(seconds: number): Promise<void>
}

let count = 0

/**
 * Somebody with these roles, signed in with both factors: how that is done has tests of its own, here her session is
 * made to say so.
 */
export async function openStaff(
  world: World,
  grants: Grant[] = [{ role: 'owner', reach: '' }],
): Promise<Staff> {
  const { store, config } = world.house
  const member = await openMember(world, { account: `staff${++count}@mail.edu.tw`, name: '陳管理' })
  for (const { role, reach } of grants) {
    const row = { holder: member.sub, role, reach, grantedAt: 1, grantedBy: 'operator:test' }
    await store.staffRoles.grant(row)
  }
  const change = async (more: (payload: Record<string, unknown>) => object) => {
    for (const { id, payload } of await store.payloads.sessionsOf(member.sub, 0)) {
      const uid = String(payload.uid)
      const changed = { ...payload, ...more(payload) }
      const expiresAt = Math.floor(Date.now() / 1000) + 1800
      await store.payloads.save([
        { id, model: 'Session', payload: changed, uid, accountId: member.sub, expiresAt },
      ])
    }
  }
  await change(() => ({ acr: config.site.acr.two_factor, amr: ['pwd', 'otp', 'mfa'] }))
  return {
    ...member,
    ageBy: (seconds) => change(({ loginTs }) => ({ loginTs: Number(loginTs) - seconds })),
  }
}

/** The code an authenticator app shows for a key as a page spells it; of a later step with `ahead`. */
export const codeOf = (secret: string, { at = Date.now(), ahead = 0 } = {}): string =>
  TOTP.generate({ secret: readKey(secret), timestamp: at + ahead * 30_000 })

/** The one of the next step, so that no code is one that was used. */
export function nextCode(clock: Clock, secret: string): string {
  clock.pass(30)
  return codeOf(secret, { at: clock.now() })
}

const readKey = (spelt: string) => new TOTP({ secret: spelt.replaceAll(/\s/g, '') }).secret

/** An operator's invitation: the link. */
export async function invite(
  { house }: World,
  grants: Grant[] = [{ role: 'owner', reach: '' }],
  email = `owner${++count}@example.gov.tw`,
): Promise<string> {
  const at = Math.floor(house.now() / 1000)
  const by = operatorActing('operator:test', at, 'zh-TW')
  const invited = await inviteStaff(house, by, { email, roles: grants }, { unmailed: true })
  if (invited.kind !== 'done') throw new Error(`not invited: ${JSON.stringify(invited)}`)
  return invited.value.link
}

export type Invited = {
  account: string
  password: string
  sub: string
  /** Of her authenticator app. */
  secret: string
  codes: string[]
  browser: Browser
  /** Where she ended: the console. */
  page: Page
  open(path: string): Promise<Page>
}

/** Walks an invitation as somebody new does, with an authenticator app, until she stands in the console. */
export async function acceptAsNew(
  world: World,
  link: string,
  { account = `boss${++count}`, browser = openBrowser() } = {},
): Promise<Invited> {
  const password = 'a long enough password'
  const first = await browser.open(link)
  const joining = { account, name: '陳管理', password }
  const factor = await browser.submit(first, 'join-form', joining)
  const secret = factor.document.querySelector('#totp-secret')?.text ?? ''
  const at = world.house.now()
  const shown = await browser.submit(factor, 'app-form', { code: codeOf(secret, { at }) })
  const codes = shown.document.querySelectorAll('#recovery-codes code').map((one) => one.text)
  const page = await browser.submit(shown, 'finish-form')
  const { domain } = world.house.config.site.local_accounts
  const name = domain ? `${account}@${domain}` : account
  const found = await world.house.store.identifiers.find(domain ? 'email' : 'username', name)
  return {
    account: name,
    password,
    sub: found?.accountId ?? '',
    secret,
    codes,
    browser,
    page,
    open: (path) => browser.open(`${world.issuer}${path}`),
  }
}

/** The first owner, as an operator's invitation makes one. */
export const inviteOwner = async (world: World): Promise<Invited> =>
  acceptAsNew(world, await invite(world))
