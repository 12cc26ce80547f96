/** How somebody becomes staff, what an invitation is not good for, and how staff cease to be. */
import test from 'ava'
import { openMember, signInAgain, text } from '../../helpers/account.ts'
import { openBrowser, type Page } from '../../helpers/browser.ts'
import { openClock } from '../../helpers/knocking.ts'
import { linkIn, takeLetters } from '../../helpers/letters.ts'
import { enrolApp } from '../../helpers/second-factor.ts'
import { openSharedWorld } from '../../helpers/shared-world.ts'
import {
  acceptAsNew,
  codeOf,
  type Invited,
  invite,
  inviteOwner,
  nextCode,
  openStaff,
} from '../../helpers/staff.ts'
import type { World } from '../../helpers/world.ts'

let world: World
const clock = openClock()
let owner: Invited
test.before(async () => {
  world = await openSharedWorld({ now: clock.now })
  owner = await inviteOwner(world)
})

const bodyId = (page: Page) => page.document.querySelector('body')?.id
const events = (action: string) => world.house.store.auditReads.list({ limit: 50, action })

/** The console asks for the second factor when it was long ago. */
async function fresh({ browser, secret }: Invited, page: Page): Promise<Page> {
  if (bodyId(page) !== 'page-second-factor') return page
  return browser.submit(page, 'code-form', { code: nextCode(clock, secret) })
}

test.serial(
  'the first owner comes from the link into the console, and all of it is kept',
  async (t) => {
    t.is(owner.page.url.pathname, '/admin', owner.page.html.slice(0, 3000))
    t.is(owner.page.status, 200)
    t.is(owner.codes.length, 10)
    const { store } = world.house
    const account = await store.accounts.find(owner.sub)
    t.is(account?.profile.name?.value, '陳管理')
    // The link was on an operator's screen: whoever used it need not read mail there. She hears of it there first.
    t.is(await store.recoveryAddresses.find(owner.sub), undefined)
    const [letter] = await takeLetters(world)
    t.regex(letter?.to ?? '', /^owner\d+@example\.gov\.tw$/)
    const mailbox = openBrowser()
    const confirming = await mailbox.open(linkIn(letter ?? { text: '' }))
    await mailbox.submit(confirming, 'confirm-form')
    t.is((await store.recoveryAddresses.find(owner.sub))?.value, letter?.to)
    t.like((await store.staffRoles.of(owner.sub))[0], { role: 'owner', grantedBy: 'operator:test' })
    const told = JSON.stringify([
      ...(await events('staff.invite')),
      ...(await events('staff.accept')),
      ...(await events('factor.add')),
      ...world.log,
    ])
    t.notRegex(told, /@example\.gov\.tw/)
    for (const code of owner.codes) t.false(told.includes(code))
    t.false(told.includes(owner.secret.replaceAll(' ', '')))

    // And signs in again with both.
    const browser = openBrowser()
    const form = await browser.open(`${world.issuer}/admin`)
    const { account: name, password } = owner
    const asked = await browser.submit(form, 'local-form', { account: name, password })
    t.is(bodyId(asked), 'page-second-factor')
    const inside = await browser.submit(asked, 'code-form', { code: nextCode(clock, owner.secret) })
    t.is(inside.url.pathname, '/admin')
  },
)

test.serial(
  'looking at an invitation uses nothing up; it is good once, in one browser',
  async (t) => {
    const link = await invite(world, [{ role: 'auditor', reach: '' }])
    const [one, two] = [openBrowser(), openBrowser()]
    for (const browser of [one, two, openBrowser()]) t.is((await browser.open(link)).status, 200)
    const walk = async (browser: typeof one, account: string) => {
      const first = await browser.open(link)
      const joining = { account, name: '王查核', password: 'a long enough password' }
      const factor = await browser.submit(first, 'join-form', joining)
      const secret = factor.document.querySelector('#totp-secret')?.text ?? ''
      return browser.submit(factor, 'app-form', { code: codeOf(secret, { at: clock.now() }) })
    }
    const ends = [await walk(one, 'auditor1'), await walk(two, 'auditor2')] as const
    t.deepEqual(ends.map(bodyId), ['page-staff-invitation-codes', 'page-staff-invitation-codes'])
    const finished = await Promise.all([
      one.submit(ends[0], 'finish-form'),
      two.submit(ends[1], 'finish-form'),
    ])
    t.deepEqual(finished.map(({ status }) => status).sort(), [200, 410])
    const { identifiers } = world.house.store
    const made = await Promise.all(
      ['auditor1', 'auditor2'].map((name) => identifiers.find('email', `${name}@mail.edu.tw`)),
    )
    t.is(made.filter(Boolean).length, 1, 'the loser left no account')
    const over = await openBrowser().open(link)
    t.is(over.status, 410)
    t.regex(over.html, /已經使用過/)
    // A token one letter off, and what is kept of it.
    t.is((await openBrowser().open(`${link.slice(0, -1)}x`)).status, 410)
    const [row] =
      (await world.house.store.auditReads.list({ limit: 1, action: 'staff.accept' })) ?? []
    t.is(
      (await openBrowser().open(`${world.issuer}/admin/invitation/${row?.target.split(':')[1]}`))
        .status,
      410,
    )
  },
)

test.serial('what one browser began, no other goes on with', async (t) => {
  const link = await invite(world, [{ role: 'auditor', reach: '' }])
  const hers = openBrowser()
  const joining = { account: 'hers1', name: '她', password: 'a long enough password' }
  const factor = await hers.submit(await hers.open(link), 'join-form', joining)
  t.is(bodyId(factor), 'page-staff-invitation-factor')
  const thief = openBrowser()
  await thief.open(`${world.issuer}/`)
  t.is((await thief.open(factor.url.href)).status, 400)
  const cross = await thief.request(`${factor.url.href}/finish`, {
    method: 'POST',
    body: new URLSearchParams(),
  })
  t.is(cross.status, 403)
  // Nor is any step left out: without a second factor there is no end.
  const token =
    factor.document.querySelector('input[name="form_token"]')?.getAttribute('value') ?? ''
  const early = await hers.open(`${factor.url.href}/finish`, {
    method: 'POST',
    body: new URLSearchParams({ form_token: token }),
  })
  t.is(early.status, 409)
  clock.pass(8 * 24 * 60 * 60)
  t.is((await hers.open(link)).status, 410, 'a week is over')
  clock.pass(-8 * 24 * 60 * 60)
})

test.serial('two tabs of one invitation never end with codes that are not good', async (t) => {
  const link = await invite(world, [{ role: 'auditor', reach: '' }])
  const browser = openBrowser()
  const joining = { account: 'twotabs', name: '她', password: 'a long enough password' }
  const begin = async () => browser.submit(await browser.open(link), 'join-form', joining)
  const confirm = (page: Page) => {
    const secret = page.document.querySelector('#totp-secret')?.text ?? ''
    return browser.submit(page, 'app-form', { code: codeOf(secret, { at: clock.now() }) })
  }
  const codesOf = (page: Page) => text(page, '#recovery-codes')
  const factor = await begin()
  const tabs = await Promise.all([confirm(factor), confirm(factor)])
  t.regex(codesOf(tabs[0]), /-/)
  t.is(codesOf(tabs[0]), codesOf(tabs[1]))
  const told = tabs.filter((page) => /以那一項為準/.test(text(page, '#notice')))
  t.is(told.length, 1)
  // She opens the link once more, and leaves the first tab as it is.
  const anew = await confirm(await begin())
  t.not(codesOf(anew), codesOf(tabs[0]))
  t.is((await browser.submit(tabs[0], 'finish-form')).status, 409)
  const inside = await browser.submit(anew, 'finish-form')
  t.is(inside.url.pathname, '/admin')
})

test.serial('a slip in the account keeps what was typed, and never the password', async (t) => {
  const link = await invite(world)
  const browser = openBrowser()
  const first = await browser.open(link)
  for (const [fields, field] of [
    [{ account: owner.account, name: '我', password: 'a long enough password' }, 'account'],
    [{ account: 'admin', name: '我', password: 'a long enough password' }, 'account'],
    [{ account: 'someone', name: ' ', password: 'a long enough password' }, 'name'],
    [{ account: 'someone', name: '我', password: 'short' }, 'password'],
    [{ account: 'someone', name: '我', password: 'someone1234' }, 'password'],
  ] as const) {
    const page = await browser.submit(first, 'join-form', fields)
    t.is(page.status, 422)
    t.truthy(page.document.querySelector(`#${field}-problem`), JSON.stringify(fields))
    t.is(page.document.querySelector('#f-account')?.getAttribute('value'), fields.account)
    t.false(page.html.includes(fields.password) && fields.password !== 'short')
  }
})

test.serial(
  'a member accepts with her account: with a factor she shows it, without she makes one',
  async (t) => {
    const grants = [{ role: 'support' as const, reach: 'county:ntpc' as const }]
    const one = await openMember(world, { account: 'one@mail.edu.tw' })
    const start = await one.browser.open(await invite(world, grants))
    t.regex(text(start, '#member-account'), /one@mail\.edu\.tw/)
    const factor = await one.browser.submit(start, 'member-form')
    t.is(bodyId(factor), 'page-staff-invitation-factor', factor.html.slice(0, 500))
    const secret = factor.document.querySelector('#totp-secret')?.text ?? ''
    t.is((await one.browser.submit(factor, 'app-form', { code: '000000' })).status, 422)
    const code = codeOf(secret, { at: clock.now() })
    const codes = await one.browser.submit(factor, 'app-form', { code })
    const inside = await one.browser.submit(codes, 'finish-form')
    t.is(inside.url.pathname, '/admin', inside.html.slice(0, 2000))
    t.is(inside.status, 200)

    const two = await openMember(world, { account: 'two@mail.edu.tw' })
    const enrolled = await enrolApp(world, two.browser)
    const stranger = openBrowser()
    const link = await invite(world, grants)
    const asked = await stranger.submit(await stranger.open(link), 'member-form')
    const after = await stranger.submit(asked, 'local-form', {
      account: two.account,
      password: two.password,
    })
    t.is(bodyId(after), 'page-second-factor', after.html.slice(0, 500))
    const confirm = await stranger.submit(after, 'code-form', {
      code: nextCode(clock, enrolled.secret),
    })
    t.is(bodyId(confirm), 'page-staff-invitation-confirm', confirm.html.slice(0, 500))
    const there = await stranger.submit(confirm, 'finish-form')
    t.is(there.url.pathname, '/admin')
    t.is((await world.house.store.secondFactors.ofAccount(two.sub)).length, 1)
  },
)

test.serial('an invitation gives what its sender may give when it is accepted', async (t) => {
  const second = await acceptAsNew(world, await invite(world))
  const form = await second.open('/admin/staff/invite')
  t.is(form.status, 200, form.url.href)
  await takeLetters(world)
  const sent = await second.browser.submit(form, 'invite-form', {
    email: 'third@example.gov.tw',
    'role-owner': '',
    'role-reviewer': 'county:ntpc',
  })
  t.is(sent.url.pathname, '/admin/staff')
  const [letter] = await takeLetters(world)
  t.is(letter?.to, 'third@example.gov.tw')
  t.regex(letter?.text ?? '', /陳管理/)
  const link = linkIn(letter ?? { text: '' })
  t.false(sent.html.includes(link.split('/').at(-1) ?? '-'), 'its sender does not see the link')

  const browser = openBrowser()
  const joining = { account: 'third1', name: '第三', password: 'a long enough password' }
  const factor = await browser.submit(await browser.open(link), 'join-form', joining)
  const secret = factor.document.querySelector('#totp-secret')?.text ?? ''
  const codes = await browser.submit(factor, 'app-form', {
    code: codeOf(secret, { at: clock.now() }),
  })
  await world.house.store.staffRoles.revoke({ holder: second.sub, role: 'owner', reach: '' })
  const refused = await browser.submit(codes, 'finish-form')
  t.is(refused.status, 403)
  t.regex(refused.html, /已經失效/)
  t.is(await world.house.store.identifiers.find('email', 'third1@mail.edu.tw'), undefined)
  t.is((await second.open('/admin/staff')).status, 403, 'and she is out herself')
  const row = {
    holder: second.sub,
    role: 'owner',
    reach: '',
    grantedAt: 1,
    grantedBy: 'operator:t',
  }
  await world.house.store.staffRoles.grant(row)
  t.is((await browser.submit(codes, 'finish-form')).url.pathname, '/admin')
  const made = await world.house.store.identifiers.find('email', 'third1@mail.edu.tw')
  const kept = await world.house.store.recoveryAddresses.find(made?.accountId ?? '')
  t.is(kept?.value, 'third@example.gov.tw', 'the link was in that mailbox and nowhere else')
  t.truthy(kept?.confirmedAt)
  for (const holder of [second.sub, made?.accountId ?? '']) {
    await world.house.store.staffRoles.revoke({ holder, role: 'owner', reach: '' })
  }
})

test.serial('nobody who may not gives a role, nor one that does not exist', async (t) => {
  const support = await openStaff(world, [{ role: 'support', reach: 'county:ntpc' }])
  t.is((await support.open('/admin/staff')).status, 403)
  t.is((await support.open('/admin/staff/invite')).status, 403)
  const auditor = await openStaff(world, [{ role: 'auditor', reach: '' }])
  const list = await auditor.open('/admin/staff')
  t.is(list.status, 200)
  t.falsy(list.document.querySelector('#head-action'))
  t.is((await auditor.open('/admin/staff/invite')).status, 403)
  const form = await fresh(owner, await owner.open('/admin/staff/invite'))
  for (const fields of [
    { email: 'no address', 'role-owner': '' },
    { email: 'x@example.tw' },
    { email: 'x@example.tw', 'role-owner': 'county:ntpc' },
    { email: 'x@example.tw', 'role-support': 'county:nowhere' },
    { email: 'x@example.tw', 'role-support': "county:'; --" },
  ] as Record<string, string>[]) {
    const page = await owner.browser.submit(form, 'invite-form', fields)
    t.is(page.status, 422, JSON.stringify(fields))
    t.is(page.document.querySelector('#f-email')?.getAttribute('value'), fields.email)
  }
})

test.serial(
  'a role is taken away at once, the last owner’s is not, and a program has one too',
  async (t) => {
    const path = (holder: string) => `/admin/staff/${encodeURIComponent(holder)}`
    const second = await acceptAsNew(world, await invite(world))
    const page = await fresh(owner, await owner.open(path(second.sub)))
    const fields = { confirm: 'somebody else' }
    const slip = await owner.browser.submit(page, 'revoke-owner', fields)
    t.is(slip.status, 422)
    t.is((await second.open('/admin')).status, 200)
    const done = await owner.browser.submit(page, 'revoke-owner', { confirm: second.account })
    t.is(done.url.pathname, '/admin/staff', done.html.slice(0, 500))
    t.is((await second.open('/admin')).status, 403)

    const own = await fresh(owner, await owner.open(path(owner.sub)))
    t.falsy(own.document.querySelector('#reset'), 'not her own factors')
    const last = await owner.browser.submit(own, 'revoke-owner', { confirm: owner.account })
    t.is(last.status, 409)
    t.regex(last.html, /最後一位擁有者/)
    const leaving = await owner.open('/account/close')
    const stays = await owner.browser.submit(leaving, 'close-form', { phrase: owner.account })
    t.is(stays.status, 422)
    t.regex(stays.html, /最後一位/)

    const member = await openMember(world, { account: 'plain@mail.edu.tw' })
    const { clientId } = await world.buildApp({ type: 'machine' })
    const form = await fresh(owner, await owner.open('/admin/staff/program'))
    const none = await owner.browser.submit(form, 'program-form', {
      client: 'x',
      grant: 'auditor ',
    })
    t.is(none.status, 422)
    const robot = await owner.browser.submit(form, 'program-form', {
      client: clientId,
      grant: 'auditor ',
    })
    t.is(decodeURIComponent(robot.url.pathname), `/admin/staff/client:${clientId}`)
    t.is((await owner.open(path(member.sub))).status, 404, 'she is none of the staff')
  },
)

test.serial(
  'lost factors are taken away by another owner, and set up again by invitation alone',
  async (t) => {
    const second = await acceptAsNew(world, await invite(world))
    await takeLetters(world)
    const page = await fresh(owner, await owner.open(`/admin/staff/${second.sub}`))
    await owner.browser.submit(page, 'reset', { confirm: second.account })
    const { store } = world.house
    t.deepEqual(await store.secondFactors.ofAccount(second.sub), [])
    t.is((await store.recoveryCodes.standing(second.sub)).left, 0)
    const letters = await takeLetters(world)
    const link = linkIn(
      letters.find(({ text }) => text.includes('/admin/invitation/')) ?? { text: '' },
    )
    t.true(link !== '')

    // Whoever knows her password gets nowhere with it.
    const thief = openBrowser()
    const form = await thief.open(`${world.issuer}/admin`)
    const { account, password } = second
    const stuck = await thief.submit(form, 'local-form', { account, password })
    t.truthy(stuck.document.querySelector('#none-staff'))

    // Nor does somebody else with her link.
    const other = await openMember(world, { account: 'other@mail.edu.tw' })
    const start = await other.browser.open(link)
    t.falsy(start.document.querySelector('#join-form'))
    const refused = await other.browser.submit(start, 'member-form')
    t.is(refused.status, 403)

    const hers = openBrowser()
    await signInAgain(world, hers, second)
    const factor = await hers.submit(await hers.open(link), 'member-form')
    const secret = factor.document.querySelector('#totp-secret')?.text ?? ''
    const codes = await hers.submit(factor, 'app-form', {
      code: codeOf(secret, { at: clock.now() }),
    })
    const inside = await hers.submit(codes, 'finish-form')
    t.is(inside.url.pathname, '/admin')
    t.is(inside.status, 200)
  },
)

test.serial(
  'an account with a second factor or a role is not joined to another by its password',
  async (t) => {
    const kept = await openMember(world, { account: 'kept@mail.edu.tw' })
    const page = await kept.open('/account/merge')
    const { account, password } = owner
    const refused = await kept.browser.submit(page, 'merge-password-form', { account, password })
    t.is(refused.status, 422)
    t.regex(refused.html, /第二道驗證或管理角色/)
  },
)
