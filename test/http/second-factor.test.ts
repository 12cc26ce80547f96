/** The second factor between an app's request and its answer, and in a member's own pages. */
import test from 'ava'
import { steppedUp } from '#interaction/second-factor.ts'
import { openMember, signInAgain, text } from '../helpers/account.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { openClock } from '../helpers/knocking.ts'
import { takeLetters } from '../helpers/letters.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { enrolApp } from '../helpers/second-factor.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { codeOf, nextCode, openStaff } from '../helpers/staff.ts'
import type { World } from '../helpers/world.ts'

let world: World
const clock = openClock()
const acr = () => world.house.config.site.acr.two_factor
const error = (page: Page) => page.url.searchParams.get('error')
const isAsked = (page: Page) => page.document.querySelector('body')?.id === 'page-second-factor'

let count = 0
const newMember = () => openMember(world, { account: `member${++count}@mail.edu.tw` })

/** A member with an authenticator app, and a password session. */
async function enrolled() {
  const member = await newMember()
  return { ...member, ...(await enrolApp(world, member.browser)) }
}

let app: RelyingParty
test.before(async () => {
  world = await openSharedWorld({ now: clock.now })
  app = await world.buildApp()
})

const payloadOf = async (sub: string) =>
  (await world.house.store.payloads.sessionsOf(sub, Math.floor(clock.now() / 1000))).map(
    ({ payload }) => payload,
  )

/** What is kept of her sessions, made otherwise. */
async function change(sub: string, more: (payload: Record<string, unknown>) => object) {
  const { payloads } = world.house.store
  for (const { id, payload } of await payloads.sessionsOf(sub, 0)) {
    const row = { id, model: 'Session', uid: String(payload.uid), accountId: sub }
    const expiresAt = Math.floor(clock.now() / 1000) + 9_000
    await payloads.save([{ ...row, payload: { ...more(payload) }, expiresAt }])
  }
}

const sessionCookie = async (browser: Browser) =>
  (await browser.jar.getCookies(world.issuer)).find(
    ({ key }) => key === world.house.cookies.session,
  )?.value

test.serial(
  'an app that wants both factors gets them, in a session that is renewed and stays what it was',
  async (t) => {
    const { browser, secret, sub } = await enrolled()
    const silent = await app.begin(browser, { acr_values: acr(), prompt: 'none' })
    t.is(error(silent), 'interaction_required')
    // As one that stands on an upstream, and is to be kept.
    const [before] = await payloadOf(sub)
    const upstream = { connector: 'ntpc', issuer: 'https://ntpc.example', subject: 's' }
    await change(sub, ({ transient: _, ...kept }) => ({ ...kept, upstream }))
    const cookie = await sessionCookie(browser)
    const asked = await app.begin(browser, { acr_values: acr() })
    t.true(isAsked(asked))
    const back = await browser.submit(asked, 'code-form', { code: nextCode(clock, secret) })
    t.true(arrivedAt(app, back), back.html.slice(0, 2000))
    const { payload } = await app.verify((await app.redeem(back.url)).body.id_token)
    t.is(payload.acr, acr())
    t.deepEqual(payload.amr, ['pwd', 'otp', 'mfa'])
    t.is(payload.auth_time, Math.floor(clock.now() / 1000))
    t.not(await sessionCookie(browser), cookie, 'a new session id')
    const [after] = await payloadOf(sub)
    t.is(after?.uid, before?.uid)
    t.deepEqual(after?.upstream, upstream)
    t.is(after?.transient, undefined)

    const quiet = await app.begin(browser, { acr_values: acr(), prompt: 'none' })
    t.true(arrivedAt(app, quiet) && !error(quiet), quiet.url.href)
    const anew = await app.begin(browser, { prompt: 'second_factor' })
    t.true(isAsked(anew), 'asked by name: always')
    const sessions = await browser.open(`${world.issuer}/account/sessions`)
    t.regex(text(sessions, '#session-0'), /第二道驗證/)
  },
)

test.serial(
  'it is asked by an essential claim and by the app’s registration, and not where something else will do',
  async (t) => {
    const { browser, secret } = await enrolled()
    const claims = (values: string[]) =>
      JSON.stringify({ id_token: { acr: { essential: true, values } } })
    const { password } = world.house.config.site.acr
    const essential = await app.begin(browser, { claims: claims([acr()]) })
    t.true(isAsked(essential), 'and not the password once more')
    for (const more of [
      { claims: claims([acr(), password]) },
      { acr_values: `${password} ${acr()}` },
      { acr_values: 'urn:unknown' },
    ] as Record<string, string>[]) {
      t.true(arrivedAt(app, await app.begin(browser, more)), JSON.stringify(more))
    }
    t.true(isAsked(await app.begin(browser, { acr_values: `${acr()} ${password}` })), 'preferred')

    const strict = await world.buildApp({ redirectUris: ['https://strict.example/cb'] })
    const { store } = world.house
    const row = await store.clients.find(strict.clientId)
    if (!row) throw new Error('no client')
    await store.clients.put({ ...row, metadata: { ...row.metadata, require_second_factor: true } })
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    const asked = await strict.begin(browser)
    t.true(isAsked(asked))
    t.is(error(await strict.begin(browser, { prompt: 'none' })), 'interaction_required')
    const back = await browser.submit(asked, 'code-form', { code: nextCode(clock, secret) })
    t.true(arrivedAt(strict, back))
    t.true(arrivedAt(app, await app.begin(browser, { claims: claims([acr()]) })))
  },
)

test.serial('no other answer passes it by', async (t) => {
  const { browser, sub, account, password } = await enrolled()
  const question = async () => {
    const page = await app.begin(browser, { acr_values: acr(), scope: 'openid eduinfo' })
    t.true(isAsked(page))
    return page
  }
  const token = (page: Page) =>
    page.document.querySelector('input[name="form_token"]')?.getAttribute('value') ?? ''
  const post = (page: Page, action: string, fields: Record<string, string>) =>
    browser.open(`${page.url.origin}${page.url.pathname}/${action}`, {
      method: 'POST',
      body: new URLSearchParams({ form_token: token(page), ...fields }),
    })
  for (const [action, fields] of [
    ['account', {}],
    ['consent', { decision: 'allow' }],
    ['agreement', { decision: 'agree', agree: 'yes' }],
    ['affiliation', { affiliation: 'x' }],
    ['sign-in', { account, password }],
    ['reopen', { proof: 'x' }],
    ['second-factor', { way: 'totp', code: '' }],
    ['second-factor', { way: 'passkey', response: '{}' }],
    ['second-factor', { way: 'recovery-code', code: 'aaaa-aaaa-aaaa' }],
  ] as [string, Record<string, string>][]) {
    const page = await question()
    const answered = await post(page, action, fields)
    t.false(arrivedAt(app, answered), `${action}: ${answered.url.href}`)
  }
  t.true((await payloadOf(sub)).every((one) => one.acr !== acr()))

  // At another question it is no answer.
  const login = await app.begin(openBrowser(), {})
  const stranger = openBrowser()
  const first = await app.begin(stranger, {})
  const refused = await stranger.open(`${first.url.origin}${first.url.pathname}/second-factor`, {
    method: 'POST',
    body: new URLSearchParams({ form_token: token(first), way: 'totp', code: '000000' }),
  })
  t.is(refused.status, 400)
  t.is(login.status, 200)
})

test.serial('the factor is the one of who is signed in, whoever sits there by then', async (t) => {
  const one = await enrolled()
  const two = await enrolled()
  const asked = await app.begin(one.browser, { acr_values: acr() })
  const strangers = await one.browser.submit(asked, 'code-form', {
    code: nextCode(clock, two.secret),
  })
  t.is(strangers.status, 422)
  // In another tab she signs out, and somebody else signs in.
  const out = await one.browser.open(`${world.issuer}/session/end`)
  await one.browser.submit(out, 'sign-out-form', { logout: 'yes' })
  await signInAgain(world, one.browser, two)
  const late = await one.browser.submit(asked, 'code-form', { code: nextCode(clock, one.secret) })
  t.false(arrivedAt(app, late), late.url.href)
  t.true((await payloadOf(two.sub)).every(({ acr: said }) => said !== acr()))
})

test.serial(
  'a second factor of one account does not count for another that is chosen afterwards',
  async (t) => {
    const one = await enrolled()
    const two = await newMember()
    const asked = await app.begin(one.browser, { prompt: 'second_factor select_account' })
    t.true(isAsked(asked))
    const choose = await one.browser.submit(asked, 'code-form', {
      code: nextCode(clock, one.secret),
    })
    t.is(choose.document.querySelector('body')?.id, 'page-choose-account')
    const { account, password } = two
    const form = await one.browser.open(`${choose.url.href}?as=another`)
    const confirm = await one.browser.submit(form, 'local-form', { account, password })
    const leave = confirm.document.querySelector('form')
    const fields = (leave?.querySelectorAll('input') ?? []).map((input) => [
      input.attributes.name ?? '',
      input.attributes.value ?? '',
    ])
    const then = await one.browser.open(leave?.getAttribute('action') ?? '', {
      method: 'POST',
      body: new URLSearchParams(fields),
    })
    t.false(arrivedAt(app, then), then.url.href)
    t.true(isAsked(then))
  },
)

test.serial(
  'a code is good for one sign-in: not again, and for one of two at the same moment',
  async (t) => {
    const { browser, secret, sub } = await enrolled()
    const pages = await Promise.all(
      [1, 2].map(() => app.begin(browser, { prompt: 'second_factor' })),
    )
    const code = nextCode(clock, secret)
    const send = (page: Page | undefined) => {
      const form = page?.document.querySelector('#code-form')
      const url = new URL(form?.getAttribute('action') ?? '', world.issuer).href
      const token = form?.querySelector('input[name="form_token"]')?.getAttribute('value') ?? ''
      const body = new URLSearchParams({ form_token: token, way: 'totp', code })
      return browser.request(url, { method: 'POST', body })
    }
    const answers = await Promise.all(pages.map(send))
    t.deepEqual(answers.map(({ status }) => status).sort(), [303, 422])
    const again = await app.begin(browser, { prompt: 'second_factor' })
    const replayed = await browser.submit(again, 'code-form', { code })
    t.is(replayed.status, 422)
    t.regex(text(replayed, '#code-problem'), /已經用過/)
    const events = await world.house.store.auditReads.list({
      limit: 10,
      actor: sub,
      action: 'session.second-factor',
    })
    t.deepEqual(events.map(({ outcome }) => outcome).sort(), ['ok', 'used', 'used'])
  },
)

test.serial(
  'five wrong codes, and she has to wait; her codes on paper wait with them',
  async (t) => {
    const { browser, secret, codes } = await enrolled()
    let page = await app.begin(browser, { acr_values: acr() })
    const statuses: number[] = []
    for (let i = 0; i < 5; i++) {
      page = await browser.submit(page, 'code-form', { code: '000000' })
      statuses.push(page.status)
      clock.pass(5)
    }
    t.deepEqual(statuses, [422, 422, 422, 422, 422])
    const held = await browser.submit(page, 'code-form', {
      code: codeOf(secret, { at: clock.now() }),
    })
    t.is(held.status, 429)
    const paper = await browser.submit(page, 'recovery-form', { code: codes[0] ?? '' })
    t.is(paper.status, 429)
    clock.pass(15 * 60)
    const back = await browser.submit(page, 'code-form', { code: nextCode(clock, secret) })
    t.true(arrivedAt(app, back))
  },
)

test.serial('a recovery code stands in for the phone once, and she is told', async (t) => {
  const { browser, codes, account } = await enrolled()
  await takeLetters(world)
  const page = await app.begin(browser, { acr_values: acr() })
  const code = (codes[3] ?? '').toUpperCase().replaceAll('-', ' ')
  t.true(arrivedAt(app, await browser.submit(page, 'recovery-form', { code })))
  const [letter] = await takeLetters(world)
  t.is(letter?.to, account)
  t.regex(letter?.text ?? '', /還剩 9 組/)
  const again = await app.begin(browser, { prompt: 'second_factor' })
  t.is((await browser.submit(again, 'recovery-form', { code })).status, 422)
})

test.serial('who has none is led to set one up, and back to the app', async (t) => {
  const member = await newMember()
  const page = await app.begin(member.browser, { acr_values: acr() })
  t.truthy(page.document.querySelector('#none-member'))
  // The provider goes by its own clock.
  await change(member.sub, (payload) => ({ ...payload, loginTs: 1 }))
  const href = page.document.querySelector('#set-up')?.getAttribute('href') ?? ''
  // She signed in a while ago: first she does so once more, and still comes back here.
  const anew = await member.browser.open(`${world.issuer}${href}`)
  const { account, password } = member
  const list = await member.browser.submit(anew, 'local-form', { account, password })
  t.is(list.url.pathname, '/account/second-factor', list.html.slice(0, 500))
  const add = list.document.querySelector('#add-app')?.getAttribute('href') ?? ''
  const { secret, codes, page: shown } = await enrolApp(world, member.browser, add)
  t.is(codes.length, 10)
  t.is(shown.headers.get('cache-control'), 'no-store')
  const next = shown.document.querySelector('#codes-kept')?.getAttribute('href') ?? ''
  t.is(next, page.url.pathname)
  const asked = await member.browser.open(`${world.issuer}${next}`)
  const back = await member.browser.submit(asked, 'code-form', { code: nextCode(clock, secret) })
  t.true(arrivedAt(app, back))
  const events = await world.house.store.auditReads.list({ limit: 10, target: member.sub })
  t.true(events.some(({ action }) => action === 'factor.add'))
  t.notRegex(JSON.stringify(events), new RegExp(secret))
})

test.serial('who has a role and no factor cannot make one by her password', async (t) => {
  const staff = await openStaff(world)
  const page = await app.begin(staff.browser, { prompt: 'second_factor' })
  t.truthy(page.document.querySelector('#none-staff'))
  t.falsy(page.document.querySelector('#set-up'))
  const list = await staff.open('/account/second-factor')
  t.truthy(list.document.querySelector('#by-invitation'))
  t.falsy(list.document.querySelector('#add-app'))
  const sent = await staff.open('/account/second-factor/app')
  t.is(sent.url.pathname, '/account/second-factor')
  // A page from before she got the role.
  const member = await newMember()
  const form = await member.open('/account/second-factor/app')
  const secret = form.document.querySelector('#totp-secret')?.text ?? ''
  const row = {
    holder: member.sub,
    role: 'support',
    reach: '',
    grantedAt: 1,
    grantedBy: 'operator:t',
  }
  await world.house.store.staffRoles.grant(row)
  const refused = await member.browser.submit(form, 'app-form', {
    code: codeOf(secret, { at: clock.now() }),
  })
  t.is(refused.status, 422)
  t.deepEqual(await world.house.store.secondFactors.ofAccount(member.sub), [])
})

test.serial(
  'what she has is changed with what she has: by her password alone nothing is',
  async (t) => {
    const { browser, secret, account, password, sub, open } = await enrolled()
    const thief = openBrowser()
    await signInAgain(world, thief, { account, password })
    for (const path of [
      '/account/second-factor',
      '/account/second-factor/app',
      '/account/identities',
      '/account/merge',
    ]) {
      t.true(isAsked(await thief.open(`${world.issuer}${path}`)), path)
    }
    const asked = await open('/account/second-factor')
    t.true(isAsked(asked))
    const list = await browser.submit(asked, 'code-form', { code: nextCode(clock, secret) })
    t.is(list.url.pathname, '/account/second-factor')
    const form = list.document.querySelector('#remove-form-0')
    const fields = (form?.querySelectorAll('input') ?? []).map((input) => [
      input.attributes.name ?? '',
      input.attributes.value ?? '',
    ])
    // Her own form from the thief's browser carries nothing he could use.
    const stolen = await thief.request(`${world.issuer}/account/second-factor/remove`, {
      method: 'POST',
      body: new URLSearchParams(fields),
    })
    t.is(stolen.status, 403)
    const renewed = await browser.submit(list, 'codes-form')
    t.is(renewed.document.querySelectorAll('#recovery-codes code').length, 10)
    const twice = await browser.submit(list, 'codes-form')
    t.is(twice.status, 409, 'made in another tab meanwhile')
    t.regex(text(twice, '#problem'), /剛剛/)
    t.is(twice.document.querySelectorAll('#recovery-codes code').length, 0)

    const { store } = world.house
    const row = {
      holder: sub,
      role: 'support',
      reach: '',
      grantedAt: 1,
      grantedBy: 'operator:test',
    }
    await store.staffRoles.grant(row)
    t.is((await browser.submit(list, 'remove-form-0')).status, 409, 'staff keep the last one')
    await store.staffRoles.revoke(row)
    const removed = await browser.submit(list, 'remove-form-0')
    t.is(removed.status, 200)
    t.regex(text(removed, '#notice'), /已移除/)
    t.is((await store.recoveryCodes.standing(sub)).left, 0)
    t.deepEqual((await takeLetters(world)).filter(({ to }) => to === account).length, 3)
    t.is((await payloadOf(sub)).length, 1, 'the thief’s session has ended')
  },
)

test.serial('a page that was confirmed twice adds one factor, an old one none', async (t) => {
  const member = await newMember()
  const form = await member.open('/account/second-factor/app')
  const secret = form.document.querySelector('#totp-secret')?.text ?? ''
  const wrong = await member.browser.submit(form, 'app-form', { code: '123' })
  t.is(wrong.status, 422)
  t.is(wrong.document.querySelector('#totp-secret')?.text, secret, 'the same picture')
  const code = codeOf(secret, { at: clock.now() })
  const other = await member.open('/account/second-factor/app')
  const key = other.document.querySelector('#totp-secret')?.text ?? ''
  const answers = await Promise.all([
    member.browser.submit(form, 'app-form', { code }),
    member.browser.submit(form, 'app-form', { code }),
    member.browser.submit(other, 'app-form', { code: codeOf(key, { at: clock.now() }) }),
  ])
  answers.push(await member.browser.submit(form, 'app-form', { code }))
  t.is((await world.house.store.secondFactors.ofAccount(member.sub)).length, 1)
  t.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409])
  const codes = answers.flatMap((page) => page.document.querySelectorAll('#recovery-codes code'))
  t.is(codes.length, 10)
  // Who has not seen the codes hears where there are others.
  for (const page of answers.filter(({ status }) => status === 409)) {
    t.regex(text(page, 'main'), /復原碼/)
    const href = page.document.querySelector('#next-factors')?.getAttribute('href')
    t.is(href, '/account/second-factor')
  }
})

test.serial('discovery says what may be asked for', async (t) => {
  const { body } = await app.get('/.well-known/openid-configuration', '')
  t.deepEqual(body.prompt_values_supported, [
    'none',
    'login',
    'second_factor',
    'select_account',
    'consent',
  ])
  t.true((body.acr_values_supported as string[]).includes(acr()))
})

test('a session that is lifted keeps how it came to be', (t) => {
  const standing = { accountId: 'a', amr: ['fed', 'otp'], remember: true }
  const { login } = steppedUp(standing, ['otp'], { acr: 'x', at: 5 })
  t.deepEqual(login, {
    accountId: 'a',
    acr: 'x',
    amr: ['fed', 'otp', 'mfa'],
    remember: true,
    ts: 5,
  })
})
