/** Ways to become staff, or to get at a member of staff, past her second factor. */
import test from 'ava'
import { operatorActing } from '#admin/operation.ts'
import { resetFactors } from '#admin/staff/resetting.ts'
import { takeRole } from '#admin/staff/roles.ts'
import { openMember, signInAgain, text } from '../helpers/account.ts'
import { openBrowser, type Page } from '../helpers/browser.ts'
import { openClock } from '../helpers/knocking.ts'
import { enrolApp } from '../helpers/second-factor.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { acceptAsNew, invite, nextCode, openStaff } from '../helpers/staff.ts'
import type { World } from '../helpers/world.ts'

let world: World
const clock = openClock()
test.before(async () => {
  world = await openSharedWorld({ now: clock.now })
})

const bodyId = (page: Page) => page.document.querySelector('body')?.id
const operator = () => operatorActing('operator:test', Math.floor(clock.now() / 1000), 'en')
const auditor = [{ role: 'auditor', reach: '' }] as const

test.serial(
  'an invitation of somebody’s own does not make him the second factor of staff who lost hers',
  async (t) => {
    const { house } = world
    const boss = await acceptAsNew(world, await invite(world))
    t.is((await resetFactors(house, operator(), boss.sub, { unmailed: true })).kind, 'done')

    // He has her password, and an invitation to a small role.
    const link = await invite(world, [...auditor])
    const thief = openBrowser()
    await signInAgain(world, thief, boss)
    const factor = await thief.submit(await thief.open(link), 'member-form')
    t.is(factor.status, 403, bodyId(factor))
    t.regex(factor.html, /第二道驗證/)
    t.deepEqual(await house.store.secondFactors.ofAccount(boss.sub), [])
    t.truthy(factor.document.querySelector('#next-other'), 'with an account of his own he may')
  },
)

test.serial('who began before her factors were taken away ends nowhere either', async (t) => {
  const { house } = world
  const member = await openMember(world, { account: 'slow@mail.edu.tw' })
  const link = await invite(world, [...auditor])
  const factor = await member.browser.submit(await member.browser.open(link), 'member-form')
  const secret = factor.document.querySelector('#totp-secret')?.text ?? ''
  const codes = await member.browser.submit(factor, 'app-form', { code: nextCode(clock, secret) })
  t.is(bodyId(codes), 'page-staff-invitation-codes')
  const row = {
    holder: member.sub,
    role: 'owner',
    reach: '',
    grantedAt: 1,
    grantedBy: 'operator:x',
  }
  await house.store.staffRoles.grant(row)
  const finished = await member.browser.submit(codes, 'finish-form')
  t.is(finished.status, 403, finished.html.slice(0, 500))
  t.deepEqual(await house.store.secondFactors.ofAccount(member.sub), [])
  await house.store.staffRoles.revoke(row)
})

test.serial('who accepts is who was named when she accepted', async (t) => {
  const { staffRoles } = world.house.store
  const one = await openMember(world, { account: 'named@mail.edu.tw' })
  const two = await openMember(world, { account: 'late@mail.edu.tw' })
  const [hers, his] = [await enrolApp(world, one.browser), await enrolApp(world, two.browser)]
  const browser = openBrowser()
  const link = await invite(world, [...auditor])
  await signInAgain(world, browser, one)
  const asked = await browser.submit(await browser.open(link), 'member-form')
  const confirm = await browser.submit(asked, 'code-form', { code: nextCode(clock, hers.secret) })
  t.regex(text(confirm, 'main'), /named@mail\.edu\.tw/)

  // In another tab she signs out, and he signs in with both.
  const out = await browser.open(`${world.issuer}/session/end`)
  await browser.submit(out, 'sign-out-form', { logout: 'yes' })
  await signInAgain(world, browser, two)
  const second = await browser.open(`${world.issuer}/account/email`)
  const inside = await browser.submit(second, 'code-form', { code: nextCode(clock, his.secret) })
  t.is(inside.url.pathname, '/account/email')

  const finished = await browser.submit(confirm, 'finish-form')
  t.deepEqual(await staffRoles.of(two.sub), [], 'he was not named')
  t.is(finished.status, 409)
})

test.serial(
  'a link for one account ends no link for another, nor an invitation to its mailbox',
  async (t) => {
    const { store } = world.house
    const expiresAt = Math.floor(clock.now() / 1000) + 60
    const row = { roles: [], createdAt: 1, createdBy: 'operator:test', expiresAt }
    const rows = [
      { ...row, id: 'one', email: '', accountId: 'a1' },
      { ...row, id: 'two', email: '', accountId: 'a2' },
      { ...row, id: 'three', email: 'shared@example.tw', accountId: 'a3' },
      { ...row, id: 'four', email: 'shared@example.tw' },
      { ...row, id: 'five', email: 'shared@example.tw', accountId: 'a4' },
      { ...row, id: 'two-again', email: 'other@example.tw', accountId: 'a2' },
      { ...row, id: 'four-again', email: 'shared@example.tw' },
    ]
    for (const one of rows) await store.transaction((tables) => tables.staffInvitations.make(one))
    const left = await Promise.all(
      rows.map(async ({ id }) => ((await store.staffInvitations.find(id)) ? id : '')),
    )
    t.deepEqual(left.filter(Boolean), ['one', 'three', 'five', 'two-again', 'four-again'])
  },
)

test.serial(
  'who has a second factor shows it before her address is changed or her account is closed',
  async (t) => {
    const member = await openMember(world, { account: 'twofold@mail.edu.tw' })
    const { secret } = await enrolApp(world, member.browser)
    const thief = openBrowser()
    await signInAgain(world, thief, member)
    for (const path of ['/account/email', '/account/close']) {
      const page = await thief.open(`${world.issuer}${path}`)
      t.is(bodyId(page), 'page-second-factor', path)
    }
    const asked = await thief.open(`${world.issuer}/account/email`)
    const there = await thief.submit(asked, 'code-form', { code: nextCode(clock, secret) })
    t.is(there.url.pathname, '/account/email')
    t.is(there.status, 200)
    // From nowhere: both are asked for, one after the other, and nothing in between.
    const stranger = openBrowser()
    const first = await stranger.open(`${world.issuer}/account/second-factor`)
    const { account, password } = member
    const then = await stranger.submit(first, 'local-form', { account, password })
    t.is(bodyId(then), 'page-second-factor', then.url.href)
    // Who has none does as before.
    const plain = await openMember(world, { account: 'onefold@mail.edu.tw' })
    t.is((await plain.open('/account/email')).url.pathname, '/account/email')
  },
)

test.serial('who stays signed in for weeks is not at the console for weeks', async (t) => {
  const staff = await openStaff(world)
  await staff.open('/admin')
  await staff.ageBy(7 * 60 * 60)
  t.is((await staff.open('/admin')).url.pathname, '/admin')
  await staff.ageBy(60 * 60 + 5)
  const page = await staff.open('/admin/people?q=lin')
  t.is(bodyId(page), 'page-second-factor', page.url.href)
})

test.serial(
  'who left the console for a quarter of an hour proves herself again, and finds what she typed',
  async (t) => {
    const { store } = world.house
    const boss = await acceptAsNew(world, await invite(world))
    const form = await boss.open('/admin/people/new')
    const typed = { account: 'typed-long-ago', name: '王小明' }
    const later = (minutes: number) => {
      clock.pass(minutes * 60)
    }
    later(14)
    t.is((await boss.open('/admin/people')).url.pathname, '/admin/people')
    later(14)
    // What a page asks by itself is nobody's work.
    await boss.open('/admin/imports/none/progress')
    later(2)
    t.is(bodyId(await boss.open('/admin/people')), 'page-second-factor')

    const asked = await boss.browser.submit(form, 'new-form', typed)
    t.is(bodyId(asked), 'page-second-factor', asked.url.href)
    t.is(await store.identifiers.find('username', 'typed-long-ago'), undefined)
    const kept = await boss.browser.submit(asked, 'code-form', {
      code: nextCode(clock, boss.secret),
    })
    t.is(bodyId(kept), 'page-admin-held', kept.url.href)
    t.regex(text(kept, '#held-fields'), /typed-long-ago.*王小明/)
    // It is hers, in this browser.
    const other = await acceptAsNew(world, await invite(world))
    t.notRegex((await other.open(kept.url.pathname)).html, /typed-long-ago/)
    const made = await boss.browser.submit(kept, 'held-form')
    t.regex(text(made, 'main'), /王小明的帳號已建立/)

    // She signed out in another tab: she begins with her password, and finds it all the same.
    const out = await boss.open('/session/end')
    await boss.browser.submit(out, 'sign-out-form', { logout: 'yes' })
    const away = await boss.browser.submit(form, 'new-form', { ...typed, account: 'typed-again' })
    const { account, password } = boss
    const second = await boss.browser.submit(away, 'local-form', { account, password })
    const back = await boss.browser.submit(second, 'code-form', {
      code: nextCode(clock, boss.secret),
    })
    t.regex(text(back, '#held-fields'), /typed-again/)
    t.is((await boss.open(`/admin/held/${'x'.repeat(43)}`)).url.pathname, '/admin')
  },
)

test.serial(
  'what asks by a device or a pushed request is no way around the second factor',
  async (t) => {
    const { issuer, house } = world
    const acr = house.config.site.acr.two_factor
    const member = await openMember(world, { account: 'device@mail.edu.tw' })
    const { secret } = await enrolApp(world, member.browser)
    const uris = ['http://127.0.0.1/cb']
    const rp = await world.buildApp({ type: 'native', device: true, redirectUris: uris })
    const send = async (path: string, body: Record<string, string>) => {
      const form = new URLSearchParams({ client_id: rp.clientId, scope: 'openid', ...body })
      const answer = await fetch(`${issuer}${path}`, { method: 'POST', body: form })
      return (await answer.json()) as Record<string, string>
    }
    const device = await send('/device/auth', { acr_values: acr })
    const input = await member.browser.open(device.verification_uri ?? '')
    const code = { user_code: device.user_code ?? '' }
    const confirm = await member.browser.submit(input, 'device-form', code)
    const asked = await member.browser.submit(confirm, 'device-confirm-form')
    t.is(bodyId(asked), 'page-second-factor', asked.url.href)
    const poll = () =>
      rp.token({
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: device.device_code ?? '',
      })
    t.is((await poll()).body.error, 'authorization_pending')
    const consent = await member.browser.submit(asked, 'code-form', {
      code: nextCode(clock, secret),
    })
    await member.browser.submit(consent, 'consent-form', { decision: 'allow' })
    const { body } = await poll()
    t.is((await rp.verify(body.id_token)).payload.acr, acr)

    const thief = openBrowser()
    await signInAgain(world, thief, member)
    const pushed = await send('/request', {
      response_type: 'code',
      redirect_uri: uris[0] ?? '',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
      acr_values: acr,
    })
    const request = new URLSearchParams({
      client_id: rp.clientId,
      request_uri: pushed.request_uri ?? JSON.stringify(pushed),
      // What stands beside it counts for nothing.
      acr_values: house.config.site.acr.password,
    })
    t.is(bodyId(await thief.open(`${issuer}/auth?${request}`)), 'page-second-factor')
  },
)

test.serial(
  'of two owners who take each other’s role away at the same moment, one stays',
  async (t) => {
    const { house } = world
    const one = await acceptAsNew(world, await invite(world))
    const two = await acceptAsNew(world, await invite(world))
    for (const { holder } of await house.store.staffRoles.list()) {
      if (holder !== one.sub && holder !== two.sub)
        await house.store.staffRoles.revoke({ holder, role: 'owner', reach: '' })
    }
    const take = (by: string, holder: string) =>
      takeRole(house, { ...operator(), actor: by }, { holder, role: 'owner', reach: '' })
    const taken = await Promise.all([take(one.sub, two.sub), take(two.sub, one.sub)])
    t.deepEqual(taken.map(({ kind }) => kind).sort(), ['done', 'refused'])
    const left = await house.store.transaction((tables) =>
      tables.staffRoles.lockEverywhere('owner'),
    )
    t.is(left.length, 1)
    const [last = ''] = left
    t.like(await take('operator:test', last), { kind: 'refused', why: 'staff.last-owner' })
  },
)
