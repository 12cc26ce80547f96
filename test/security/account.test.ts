/** What others may try at a member's pages, and what two of her own tabs may do to each other. */
import test from 'ava'
import { type Member, openMember } from '../helpers/account.ts'
import { openBrowser, type Page } from '../helpers/browser.ts'
import { linkIn, takeAnswers, takeLetters } from '../helpers/letters.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { addSchools, signIn } from '../helpers/sign-in.ts'
import { buildWorld, type World } from '../helpers/world.ts'

/** Every act of hers: where it is sent, what a sent form would carry, and the page it stands on. */
const acts: [path: string, page: string, fields: Record<string, string>][] = [
  ['/account/profile', '/account/profile', { name: '駭客', nickname: '駭客', version: 'x' }],
  ['/account/picture/remove', '/account/profile', {}],
  ['/account/password', '/account/password', { current: 'x', password: 'y', again: 'y' }],
  ['/account/email', '/account/email', { address: 'x@evil.example', again: 'x@evil.example' }],
  ['/account/email/resend', '/account/email', {}],
  ['/account/email/cancel', '/account/email', {}],
  ['/account/identities/unlink', '/account/identities', { identity: 'x' }],
  ['/account/identities/link', '/account/identities', { connector: 'ntpc' }],
  ['/account/merge/password', '/account/merge', { account: 'x', password: 'y' }],
  ['/account/merge/county', '/account/merge', { connector: 'ntpc' }],
  ['/account/merge/confirm', '/account/merge/confirm', { merge: 'x' }],
  ['/account/sessions/end', '/account/sessions', { session: 'x' }],
  ['/account/sessions/end-others', '/account/sessions', {}],
  ['/account/forget', '/account', { client_id: 'x' }],
  ['/account/apps/forget', '/account/apps', { client_id: 'x' }],
  ['/account/apps/withdraw', '/account/apps', { client_id: 'x' }],
  ['/account/export', '/account/export', {}],
  ['/account/close', '/account/close', { phrase: 'wang@mail.edu.tw' }],
]

/** What is hidden in a page's forms. */
const hidden = (page: Page, name: string) =>
  page.document.querySelector(`main input[name=${name}]`)?.getAttribute('value') ?? ''

const post = (
  world: World,
  { browser }: Pick<Member, 'browser'>,
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
) =>
  browser.request(`${world.issuer}${path}`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers,
  })

test('no act is done without the token of her own page, from another site, or by GET', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  const { store } = world.house
  const before = await store.auditReads.list({ limit: 100, actor: member.sub })
  // One token for all of her pages: not each of them has a form just now.
  const shown = await member.open('/account/profile')
  for (const [path, , fields] of acts) {
    const form_token = hidden(shown, 'form_token')
    const whose = hidden(shown, 'member')
    t.not(form_token, '')
    t.is((await post(world, member, path, fields)).status, 403, `${path} without a token`)
    const foreign = { ...fields, form_token: 'x'.repeat(43), member: whose }
    t.is((await post(world, member, path, foreign)).status, 403, `${path} with a wrong one`)
    const good = { ...fields, form_token, member: whose }
    const across = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    t.is((await post(world, member, path, good, across)).status, 403, `${path} from elsewhere`)
    const nobody = await post(world, member, path, { ...fields, form_token })
    t.is(nobody.status, 409, `${path} of no member`)
    const got = await member.open(`${path}?${new URLSearchParams(good)}`)
    t.true(got.status === 200 || got.status === 404 || got.status === 405, path)
  }
  const after = await store.auditReads.list({ limit: 100, actor: member.sub })
  t.is(after.length, before.length, 'nothing was done')
  t.is((await store.accounts.find(member.sub))?.status, 'active')
  t.deepEqual(await takeLetters(world), [])
})

test('a form shown to one member does nothing to another who signed in at the same browser since', async (t) => {
  const world = await buildWorld(t)
  const first = await openMember(world)
  const form = await first.open('/account/profile')
  const close = await first.open('/account/close')
  await first.browser.submit(await first.open('/session/end'), 'sign-out-form', { logout: 'yes' })
  const other = await world.buildPerson({ account: 'chen@mail.edu.tw', name: '陳大文' })
  const asked = await first.open('/account')
  await first.browser.submit(asked, 'local-form', {
    account: other.account,
    password: other.password,
  })
  const refused = await first.browser.submit(form, 'profile-form', { nickname: '小明' })
  t.is(refused.status, 409)
  t.is((await first.browser.submit(close, 'close-form', { phrase: other.account })).status, 409)
  const { store } = world.house
  t.is((await store.accounts.find(other.sub))?.profile.nickname, undefined)
  t.is((await store.accounts.find(other.sub))?.status, 'active')
})

test('ids of others are not there: session, identity, app, picture, cursor', async (t) => {
  const world = await buildWorld(t)
  const hers = await openMember(world)
  const his = await openMember(world, { account: 'chen@mail.edu.tw', name: '陳大文' })
  const { store } = world.house
  await addSchools(world, hers.sub, ['014569'])
  const at = Math.floor(Date.now() / 1000)
  const [session] = await store.payloads.sessionsOf(hers.sub, at)
  const [identity] = await store.identities.ofAccount(hers.sub)
  await store.consents.put(hers.sub, 'app', { scopes: [], claims: [], resources: {} }, at)
  await store.pictures.put({
    accountId: hers.sub,
    type: 'image/webp',
    bytes: Buffer.from('hers'),
    updatedAt: at,
  })
  const tries: [path: string, fields: Record<string, string>][] = [
    ['/account/sessions/end', { session: String(session?.payload.uid) }],
    ['/account/identities/unlink', { identity: identity?.id ?? '' }],
    ['/account/apps/withdraw', { client_id: 'app' }],
  ]
  const shown = await his.open('/account/profile')
  for (const [path, fields] of tries) {
    const own = { form_token: hidden(shown, 'form_token'), member: hidden(shown, 'member') }
    const reply = await post(world, his, path, { ...fields, ...own })
    const unknown = await post(world, his, path, {
      session: '-',
      identity: '-',
      client_id: '-',
      ...own,
    })
    t.is(reply.status, 404, path)
    t.is(reply.status, unknown.status, 'hers and nobody’s are one answer')
  }
  t.is((await store.payloads.sessionsOf(hers.sub, at)).length, 1)
  t.is((await store.identities.ofAccount(hers.sub)).length, 1)
  t.truthy(await store.consents.find(hers.sub, 'app'))
  t.is((await his.open('/account/picture')).status, 404)
  const [event] = await store.auditReads.signIns(hers.sub, undefined, 1)
  const page = await his.open(
    `/account/history?after=${(event?.at ?? 0) + 9_999}.${event?.chain}.0`,
  )
  t.is(page.document.querySelectorAll('#sign-ins > li').length, 1, 'his own')
})

test('mass assignment: only the fields of the form are read', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  const page = await member.open('/account/profile')
  const saved = await member.browser.submit(page, 'profile-form', {
    nickname: '小明',
    status: 'suspended',
    kind: 'admin',
    email: 'boss@example.com',
    email_verified: 'true',
    account_id: '00000000-0000-0000-0000-000000000000',
    accountId: 'x',
    sub: 'x',
    __proto__: 'x',
    constructor: 'x',
    'profile[name]': 'x',
    by: 'ntpc',
  })
  t.is(saved.status, 200)
  const row = await world.house.store.accounts.find(member.sub)
  t.like(row, { id: member.sub, kind: 'person', status: 'active' })
  t.is(row?.profile.email?.value, member.account)
  t.like(row?.profile.nickname, { value: '小明', by: 'self' })
  t.deepEqual(Object.keys(row?.profile ?? {}).sort(), [
    'email',
    'name',
    'nickname',
    'preferred_username',
  ])
})

test('ten presses of one button at once do one thing', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  const page = await member.open('/account/email')
  const fields = {
    form_token: hidden(page, 'form_token'),
    member: hidden(page, 'member'),
    address: 'w@example.com',
    again: 'w@example.com',
  }
  const ten = await Promise.all(
    Array.from({ length: 10 }, () => post(world, member, '/account/email', fields)),
  )
  t.is(ten.filter(({ status }) => status === 303).length, 1)
  t.is(ten.filter(({ status }) => status === 429).length, 9)
  t.is((await takeLetters(world)).length, 1)

  const close = await member.open('/account/close')
  const own = { form_token: hidden(close, 'form_token'), member: hidden(close, 'member') }
  const closes = await Promise.all(
    Array.from({ length: 5 }, () =>
      post(world, member, '/account/close', { ...own, phrase: member.account }),
    ),
  )
  t.true(closes.every(({ status }) => status === 303))
  const events = await world.house.store.auditReads.list({ limit: 9, action: 'account.close' })
  t.is(events.length, 1)
})

test('what was hers before she closed the account is worth nothing after', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { browser, person, back } = await signIn(world, rp)
  const { body } = await rp.redeem(back.url)
  const cookie = await browser.jar.getCookieString(world.issuer)
  const close = await browser.open(`${world.issuer}/account/close`)
  await browser.submit(close, 'close-form', { phrase: person.account })
  t.is((await rp.get('/me', body.access_token)).status, 401)
  const renewed = await rp.token({
    grant_type: 'refresh_token',
    refresh_token: body.refresh_token ?? '',
  })
  t.is(renewed.body.error, 'invalid_grant')
  const replayed = await fetch(rp.authorize({ prompt: 'none' }), {
    headers: { cookie },
    redirect: 'manual',
  })
  t.true(replayed.headers.get('location')?.includes('login_required'))
})

test('guessing the current password is held like guessing at the sign-in page', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  const guess = async () => {
    const page = await member.open('/account/password')
    return member.browser.submit(page, 'password-form', {
      current: 'not this one',
      password: 'a quite different phrase 77',
      again: 'a quite different phrase 77',
    })
  }
  const statuses = []
  for (let i = 0; i < 4; i++) statuses.push((await guess()).status)
  t.deepEqual(statuses, [422, 422, 422, 429])
})

test('no page of hers may be framed, kept by a cache or read by another site', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  for (const [, page] of acts) {
    const { headers } = await member.browser.request(`${world.issuer}${page}`)
    t.is(headers.get('cache-control'), 'no-store', page)
    t.true(headers.get('content-security-policy')?.includes("frame-ancestors 'none'"), page)
    t.is(headers.get('cross-origin-resource-policy'), 'same-origin', page)
    t.is(headers.get('access-control-allow-origin'), null, page)
  }
  const confirm = await openBrowser().request(`${world.issuer}/account/email/confirm/x`)
  t.is(confirm.headers.get('referrer-policy'), 'no-referrer')
})

const farewells = async ({ house: { store } }: World, clientId: string) =>
  (await store.outbox.list()).filter(
    ({ kind, target }) => kind === 'backchannel-logout' && target === clientId,
  ).length

/** A browser with the same cookies: somebody copied them. */
async function copyOf({ jar }: Member['browser']): Promise<Member['browser']> {
  const copy = openBrowser()
  for (const cookie of (await jar.serialize()).cookies) {
    const { key, value, path, domain } = cookie
    await copy.jar.setCookie(`${key}=${value}; Path=${path}`, `http://${domain}/`)
  }
  return copy
}

test('who has a copy of her cookie is out when she changes the password, ends other sessions or unlinks', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  const { browser, open, password } = member
  const wanted = 'a quite different phrase 77'
  await addSchools(world, member.sub, ['014569'])
  const acts: [string, () => Promise<Page>][] = [
    [
      'password',
      async () =>
        browser.submit(await open('/account/password'), 'password-form', {
          current: password,
          password: wanted,
          again: wanted,
        }),
    ],
    ['others', async () => browser.submit(await open('/account/sessions'), 'end-others-form')],
    ['unlink', async () => browser.submit(await open('/account/identities'), 'unlink-form-0')],
  ]
  // Another browser, so that there are others to end.
  const second = openBrowser()
  await second.submit(await second.open(`${world.issuer}/account`), 'local-form', {
    account: member.account,
    password,
  })
  for (const [what, act] of acts) {
    const thief = await copyOf(browser)
    t.truthy((await thief.open(`${world.issuer}/account`)).document.querySelector('#who'), what)
    t.is((await act()).status, 200, what)
    const out = await thief.open(`${world.issuer}/account`)
    t.truthy(out.document.querySelector('#local-form'), what)
    const inside = await open('/account/sessions')
    t.is(inside.url.pathname, '/account/sessions', 'she herself goes on')
    const list = inside.document.querySelectorAll('[id^=session-]').map((one) => one.text)
    const here = list.filter((one) => one.includes('這個裝置') && one.includes('Chrome · Windows'))
    t.is(here.length, 1, list.join())
    if (what === 'password') {
      await second.submit(await second.open(`${world.issuer}/account`), 'local-form', {
        account: member.account,
        password: wanted,
      })
    }
  }
})

test('a session she asked to be kept is kept under its new id', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  const browser = openBrowser()
  const asked = await browser.open(`${world.issuer}/account`)
  await browser.submit(asked, 'local-form', { ...person, remember: 'yes' })
  const wanted = 'a quite different phrase 77'
  const form = await browser.open(`${world.issuer}/account/password`)
  const fields = { form_token: hidden(form, 'form_token'), member: hidden(form, 'member') }
  const typed = { current: person.password, password: wanted, again: wanted }
  const done = await post(world, { browser }, '/account/password', { ...fields, ...typed })
  const [cookie = ''] = done.headers
    .getSetCookie()
    .filter((line) => line.startsWith(`${world.house.cookies.session}=`))
  const until = Date.parse(/expires=([^;]+)/i.exec(cookie)?.[1] ?? '') / 1000
  const { remembered_seconds: days } = world.house.config.site.session
  t.true(Math.abs(until - Date.now() / 1000 - days) < 120, cookie)
  t.regex(cookie, /httponly/i)
  t.regex(cookie, /samesite=lax/i)
})

test('a password that is changed while it is signed in with opens nothing', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  const form = await member.open('/account/password')
  const wanted = 'a quite different phrase 77'
  const rp = await world.buildApp()
  const thief = openBrowser()
  const page = await rp.begin(thief)
  // The old password was looked at and found right; before that is put down, it is changed.
  const { audit } = world.house.store
  const { record } = audit
  audit.record = async (event) => {
    audit.record = record
    await member.browser.submit(form, 'password-form', {
      current: member.password,
      password: wanted,
      again: wanted,
    })
    await record(event)
  }
  const { account, password } = member
  const late = await thief.submit(page, 'local-form', { account, password })
  t.false(arrivedAt(rp, late), late.url.href)
  t.is(late.status, 400)
  const silent = await thief.open(rp.authorize({ prompt: 'none' }))
  t.is(silent.url.searchParams.get('error'), 'login_required')
  const at = Math.floor(Date.now() / 1000)
  t.is((await world.house.store.payloads.sessionsOf(member.sub, at)).length, 1)
})

test('each app hears once of each session that ended, however it ended', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ backchannelLogoutUri: 'https://app.example/logout' })
  const { person, browser } = await signIn(world, rp)
  const elsewhere = openBrowser()
  await elsewhere.submit(await rp.begin(elsewhere), 'local-form', person)
  await rp.begin(elsewhere, { prompt: 'none' })
  const close = await browser.open(`${world.issuer}/account/close`)
  await browser.submit(close, 'close-form', { phrase: person.account })
  t.is(await farewells(world, rp.clientId), 2)
})

test('who comes back to a closed account is in her list of sign-ins as one who came in', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  await member.browser.submit(await member.open('/account/close'), 'close-form', {
    phrase: member.account,
  })
  const browser = openBrowser()
  const asked = await browser.open(`${world.issuer}/account`)
  const { account, password } = member
  const barred = await browser.submit(asked, 'local-form', { account, password })
  await browser.submit(barred, 'next-reopen-form')
  const events = await world.house.store.auditReads.signIns(member.sub, undefined, 9)
  t.deepEqual(
    events.map(({ outcome }) => outcome),
    ['ok', 'closed', 'ok'],
  )
  t.like(events[0], { target: 'client:citygate', details: { way: 'password', reopened: true } })
})

test('the file of a minor says who agreed for her, not from where', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  await world.house.store.guardians.put({
    accountId: member.sub,
    name: '王媽媽',
    email: 'mother@example.com',
    agreedAt: 1,
    address: '203.0.113.77',
  })
  const file = await member.browser.submit(await member.open('/account/export'), 'export-form')
  t.like(JSON.parse(file.html), { guardian: { name: '王媽媽' } })
  t.false(file.html.includes('203.0.113.77'))
  t.is(file.headers.get('cache-control'), 'no-store')
  t.regex(file.headers.get('content-disposition') ?? '', /^attachment/)
})

test('the mailbox one signs in to with the account is no way back to the account', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  const page = await member.open('/account/email')
  for (const address of ['wang@mail.edu.tw', 'x@MAIL.edu.tw', 'x@mail.edu.tw.']) {
    const fields = { address, again: address }
    t.is((await member.browser.submit(page, 'email-form', fields)).status, 422, address)
  }
  t.deepEqual(await takeLetters(world), [])
})

test('no header of a request finds its way into a link we mail', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  const page = await member.open('/account/email')
  const fields = {
    form_token: hidden(page, 'form_token'),
    member: hidden(page, 'member'),
    address: 'w@example.com',
    again: 'w@example.com',
  }
  const evil = {
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-port': '444',
    forwarded: 'host=evil.example;proto=https',
    'x-original-host': 'evil.example',
    'x-host': 'evil.example',
    referer: 'https://evil.example/',
  }
  t.is((await post(world, member, '/account/email', fields, evil)).status, 303)
  const stranger = openBrowser(evil)
  await stranger.submit(await stranger.open(`${world.issuer}/reset`), 'reset-form', {
    account: member.account,
  })
  const letters = await takeAnswers(world)
  const close = await member.open('/account/close')
  const own = { form_token: hidden(close, 'form_token'), member: hidden(close, 'member') }
  await post(world, member, '/account/close', { ...own, phrase: member.account }, evil)
  letters.push(...(await takeLetters(world)))
  t.true(letters.length >= 3)
  for (const { text, html = '' } of letters) {
    t.false(`${text}${html}`.includes('evil.example'))
    for (const [link] of `${text}\n${html}`.matchAll(/https?:\/\/[^\s"'<>]+/g)) {
      t.true(link.startsWith(`${world.issuer}/`), link)
    }
  }
})

test('another recovery address changes nothing an app is told of her', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { person, browser, back } = await signIn(world, rp)
  const { body } = await rp.redeem(back.url)
  const before = (await rp.get('/me', body.access_token)).body
  const other = await world.buildPerson({ account: 'boss@mail.example.com', name: '別人' })
  // Somebody else's address, even one she could read.
  const page = await browser.open(`${world.issuer}/account/email`)
  const fields = { address: other.account, again: other.account }
  await browser.submit(page, 'email-form', fields)
  const [letter] = await takeLetters(world)
  const reader = openBrowser()
  await reader.submit(await reader.open(linkIn(letter ?? { text: '' })), 'confirm-form')
  t.like(await world.house.store.recoveryAddresses.find(person.sub), { value: other.account })
  t.deepEqual((await rp.get('/me', body.access_token)).body, before)
  const elsewhere = openBrowser()
  const asOther = await elsewhere.submit(await rp.begin(elsewhere), 'local-form', {
    account: other.account,
    password: person.password,
  })
  const { body: tokens } = await rp.redeem(asOther.url)
  t.is((await rp.get('/me', tokens.access_token)).body.sub, other.sub, 'her name stays hers')
})
