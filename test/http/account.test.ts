/** A member's own pages, as her browser meets them. */
import test from 'ava'
import sharp from 'sharp'
import { accountPages } from '#oidc/provider.ts'
import { openMember, signInAgain, text } from '../helpers/account.ts'
import { openBrowser, type Page } from '../helpers/browser.ts'
import { linkIn, takeLetters } from '../helpers/letters.ts'
import { addSchools } from '../helpers/sign-in.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const newPassword = 'a quite different phrase 77'

/** A world whose clock is moved by the test. */
async function clockWorld(t: Parameters<typeof buildWorld>[0], options = {}) {
  let ahead = 0
  const world = await buildWorld(t, { ...options, now: () => Date.now() + ahead })
  return {
    world,
    pass(seconds: number) {
      ahead += seconds * 1000
    },
  }
}

/** Her session began so much earlier: node-oidc-provider has a clock of its own. */
async function agedBy({ house: { store } }: World, accountId: string, seconds: number) {
  for (const { id, payload } of await store.payloads.sessionsOf(accountId, 0)) {
    const { uid, loginTs } = payload as { uid: string; loginTs: number }
    const older = { ...payload, loginTs: loginTs - seconds }
    const expiresAt = Math.floor(Date.now() / 1000) + 1800
    await store.payloads.save([{ id, model: 'Session', payload: older, uid, accountId, expiresAt }])
  }
}

const refresh = (rp: Awaited<ReturnType<World['buildApp']>>, token = '') =>
  rp.token({ grant_type: 'refresh_token', refresh_token: token })

/** Without what she has shown, or the app she chose, there is nothing to show: they lead back to where she does. */
const leadsBack: Partial<Record<(typeof accountPages)[number], string>> = {
  '/account/merge/confirm': '/account/merge?done=merge-over',
  '/account/clients/app': '/account/clients',
}

test('every page of hers opens, says where she is and who, in both languages', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  for (const path of accountPages.filter((one) => !(one in leadsBack))) {
    // Joining accounts begins on the page of her counties, and stays below it; as others stay below theirs.
    const below =
      path === '/account/merge' ? '/account/identities' : path.split('/').slice(0, 3).join('/')
    for (const lang of ['zh-TW', 'en']) {
      const page = await member.open(`${path}?lang=${lang}`)
      t.is(page.status, 200, path)
      t.is(page.url.pathname, path)
      const here = page.document.querySelectorAll('.own-nav [aria-current=page]')
      t.deepEqual(
        here.map((link) => link.getAttribute('href')),
        [below],
      )
      t.true(text(page, '#member-link').includes(member.name), path)
      if (path === '/account') t.falsy(page.document.querySelector('#apps li'), 'ours is no app')
      t.is(page.document.querySelector('html')?.getAttribute('lang'), lang)
    }
  }
})

test('nobody but her: without a session each page asks her to sign in, and she arrives at that page', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  for (const path of accountPages) {
    const browser = openBrowser()
    const asked = await browser.open(`${world.issuer}${path}`)
    t.truthy(asked.document.querySelector('#local-form'), path)
    const { account, password } = person
    const back = await browser.submit(asked, 'local-form', { account, password })
    const said = path === '/account' ? '?done=signed-in' : ''
    const arrived = leadsBack[path] ?? `${path}${said}`
    t.is(`${back.url.pathname}${back.url.search}`, arrived)
  }
})

test('her profile: saved and said so, a slip keeps what she typed, an older tab saves nothing', async (t) => {
  const world = await buildWorld(t)
  const { browser, open, sub } = await openMember(world)
  const page = await open('/account/profile')
  const saved = await browser.submit(page, 'profile-form', { name: '王大明', nickname: '小明' })
  t.is(saved.url.pathname + saved.url.search, '/account/profile?done=saved')
  t.is(text(saved, '#notice'), '已經儲存。')
  t.like((await world.house.store.accounts.find(sub))?.profile, {
    name: { value: '王大明', by: 'self' },
    nickname: { value: '小明' },
  })

  const slip = await browser.submit(saved, 'profile-form', { phone_number: '12', nickname: '新' })
  t.is(slip.status, 422)
  const phone = slip.document.querySelector('#phone_number')
  t.is(phone?.getAttribute('value'), '12')
  t.is(phone?.getAttribute('aria-invalid'), 'true')
  t.true(phone?.getAttribute('aria-describedby')?.includes('phone_number-problem'))
  t.is(slip.document.querySelector('#nickname')?.getAttribute('value'), '新')
  t.is(slip.document.querySelector('#problem a')?.getAttribute('href'), '#phone_number')

  const old = await browser.submit(page, 'profile-form', { nickname: '舊分頁' })
  t.is(old.status, 409)
  t.is(old.document.querySelector('#nickname')?.getAttribute('value'), '舊分頁')
  t.is((await world.house.store.accounts.find(sub))?.profile.nickname?.value, '小明')
  const again = await browser.submit(old, 'profile-form')
  t.is(again.url.search, '?done=saved')
})

test('a telephone number is shown as she writes it, and what a county vouched for with who did', async (t) => {
  const world = await buildWorld(t)
  const { browser, open, sub } = await openMember(world)
  const page = await open('/account/profile')
  const saved = await browser.submit(page, 'profile-form', { phone_number: '+886 2 12345678 轉 9' })
  t.is(saved.document.querySelector('#phone_number')?.getAttribute('value'), '02-1234-5678 #9')
  const { accounts } = world.house.store
  const kept = await accounts.find(sub)
  t.is(kept?.profile.phone_number?.value, '+886212345678;ext=9')
  t.is((await browser.submit(saved, 'profile-form')).url.search, '?done=saved')
  t.deepEqual((await accounts.find(sub))?.profile.phone_number, kept?.profile.phone_number)

  const title = { value: '設備組長', by: 'ntpc', at: 1 }
  await accounts.setProfile(sub, { ...kept?.profile, title }, 1)
  const locked = await open('/account/profile')
  t.is(text(locked, '#locked-title'), '設備組長 由新北市提供，要更正請向學校反映')
  t.is(locked.document.querySelector('[name=title]'), null)
})

async function upload(
  world: World,
  page: Page,
  browser: ReturnType<typeof openBrowser>,
  bytes: Buffer,
  name = 'me.jpg',
) {
  const body = new FormData()
  for (const field of page.document.querySelectorAll('#picture-form input[type=hidden]')) {
    body.set(field.getAttribute('name') ?? '', field.getAttribute('value') ?? '')
  }
  body.set('picture', new Blob([new Uint8Array(bytes)], { type: 'image/jpeg' }), name)
  const headers = { origin: world.issuer, 'sec-fetch-site': 'same-origin' }
  return browser.open(`${world.issuer}/account/picture`, { method: 'POST', body, headers })
}

test('her picture: made anew, shown to herself alone, removed; what is none is refused in words', async (t) => {
  const world = await buildWorld(t)
  const { browser, open } = await openMember(world)
  const page = await open('/account/profile')
  t.is((await open('/account/picture')).status, 404)
  const photo = await sharp({
    create: { width: 300, height: 200, channels: 3, background: 'teal' },
  })
    .withExif({ IFD0: { Copyright: 'where she lives' } })
    .jpeg()
    .toBuffer()
  const done = await upload(world, page, browser, photo)
  t.is(done.url.pathname + done.url.search, '/account/profile?done=picture')
  const shown = await browser.request(`${world.issuer}/account/picture`)
  t.is(shown.status, 200)
  t.is(shown.headers.get('content-type'), 'image/webp')
  t.is(shown.headers.get('cache-control'), 'private, no-store')
  t.is(shown.headers.get('content-security-policy'), "default-src 'none'; sandbox")
  t.is(shown.headers.get('x-content-type-options'), 'nosniff')
  t.false(shown.html.includes('where she lives'))
  const stranger = await openBrowser().open(`${world.issuer}/account/picture`)
  t.is(stranger.status, 404)
  t.truthy((await open('/account')).document.querySelector('img.face'))

  const html = await upload(world, page, browser, Buffer.from('<svg onload=alert(1)>'), 'x.svg')
  t.is(html.status, 422)
  t.true(text(html, '#problem').includes('不是 JPEG'))
  const large = await upload(world, page, browser, Buffer.alloc(6 * 1024 * 1024, 255))
  t.is(large.status, 422)
  t.true(text(large, '#problem').includes('太大'))
  const nothing = await upload(world, page, browser, Buffer.alloc(0))
  t.is(nothing.status, 422)

  // Bombs and patience: what one person may have decoded in an hour has an end, for her alone.
  let last = nothing
  for (let i = 0; last.status === 422; i++) {
    t.true(i < 20)
    last = await upload(world, page, browser, Buffer.from('\xff\xd8\xffno picture', 'latin1'))
  }
  t.is(last.status, 429)
  t.true(Number(last.headers.get('retry-after')) > 3000)
  t.regex(text(last, '#problem'), /過 \d+ 分鐘/)

  const removed = await browser.submit(await open('/account/profile'), 'picture-remove-form')
  t.is(removed.url.search, '?done=picture-removed')
  t.is((await open('/account/picture')).status, 404)
})

test('her password: the other browser is out, refresh tokens are dead, the new one signs in', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const member = await openMember(world)
  const { browser, open } = member
  const elsewhere = openBrowser()
  const back = await elsewhere.submit(
    await rp.begin(elsewhere, { scope: 'openid offline_access', prompt: 'consent' }),
    'local-form',
    { account: member.account, password: member.password },
  )
  const allowed = back.document.querySelector('#consent-form')
    ? await elsewhere.submit(back, 'consent-form', { decision: 'allow' })
    : back
  const { body } = await rp.redeem(allowed.url)
  t.truthy(body.refresh_token)

  const page = await open('/account/password')
  const fields = { password: newPassword, again: newPassword }
  const wrong = await browser.submit(page, 'password-form', { current: 'no', ...fields })
  t.is(wrong.status, 422)
  t.is(text(wrong, '#current-problem'), '目前的密碼不正確。')
  t.false(wrong.html.includes(newPassword), 'passwords are not sent back')
  const done = await browser.submit(page, 'password-form', { current: member.password, ...fields })
  t.is(done.url.search, '?done=password')
  t.is((await open('/account')).url.pathname, '/account', 'this browser stays')
  t.truthy((await elsewhere.open(`${world.issuer}/account`)).document.querySelector('#local-form'))
  t.is((await refresh(rp, body.refresh_token)).body.error, 'invalid_grant')
  const fresh = await signInAgain(world, openBrowser(), { ...member, password: newPassword })
  t.is(fresh.url.pathname, '/account')
  const letters = await takeLetters(world)
  t.deepEqual(
    letters.map(({ to }) => to),
    [member.account],
  )
})

test('what could take the account away wants a sign-in of just now; she comes back to the very page', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  const { browser, open, sub } = member
  const page = await open('/account/email')
  t.is(page.url.pathname, '/account/email')
  await agedBy(world, sub, 6 * 60)
  for (const path of [
    '/account/email',
    '/account/identities',
    '/account/merge',
    '/account/merge/confirm',
    '/account/export',
    '/account/close',
  ]) {
    t.truthy((await open(path)).document.querySelector('#local-form'), path)
  }
  t.is((await open('/account/profile')).url.pathname, '/account/profile', 'the others do not')
  // She typed for a while: a form of a page that was fresh is taken a little longer.
  const address = { address: 'w@example.com', again: 'w@example.com' }
  t.is((await browser.submit(page, 'email-form', address)).status, 200)
  await agedBy(world, sub, 10 * 60)
  t.truthy(
    (await browser.submit(page, 'email-form', address)).document.querySelector('#local-form'),
  )

  const asked = await open('/account/close')
  const cancelled = await browser.submit(asked, 'cancel-form')
  t.is(cancelled.url.pathname, '/account')
  const { account, password } = member
  const back = await browser.submit(await open('/account/close'), 'local-form', {
    account,
    password,
  })
  t.is(back.url.pathname, '/account/close')
  t.is(back.status, 200)
})

test('who was not asked anew is told so, and not sent round in circles', async (t) => {
  const { world, pass } = await clockWorld(t)
  const { open } = await openMember(world)
  // By the provider's clock she signed in just now, by ours long ago: as at a county that names an old time.
  pass(6 * 60)
  const page = await open('/account/close')
  t.is(page.status, 403)
  t.is(page.document.querySelector('#next-prove')?.getAttribute('href'), '/account/close')
  t.truthy(page.document.querySelector('#next-sign-out'))
})

test('the recovery address: confirmed from another browser, where no session is opened', async (t) => {
  const { world, pass } = await clockWorld(t)
  const member = await openMember(world)
  const { browser, open, sub } = member
  const { store } = world.house
  await store.recoveryAddresses.put({ accountId: sub, value: 'old@example.com', createdAt: 1 })
  t.truthy((await open('/account')).document.querySelector('#attention-unconfirmed'))
  const page = await open('/account/email')
  const fields = { address: 'new@example.com', again: 'new@example.com' }
  const sent = await browser.submit(page, 'email-form', fields)
  t.true(text(sent, '#waiting').includes('new@example.com'))
  const [letter] = await takeLetters(world)
  t.is(letter?.to, 'new@example.com')
  const link = linkIn(letter ?? { text: '' })

  const early = await browser.submit(sent, 'resend-form')
  t.is(early.status, 429)
  t.true(Number(early.headers.get('retry-after')) > 100)
  // A scanner, three times, and a reader elsewhere.
  for (let i = 0; i < 3; i++) t.is((await fetch(link)).status, 200)
  const reader = openBrowser()
  const seen = await reader.open(link)
  t.is((await store.recoveryAddresses.find(sub))?.value, 'old@example.com')
  const confirmed = await reader.submit(seen, 'confirm-form')
  t.truthy(confirmed.document.querySelector('#confirm-used'))
  t.like(await store.recoveryAddresses.find(sub), { value: 'new@example.com' })
  t.truthy((await reader.open(`${world.issuer}/account`)).document.querySelector('#local-form'))
  t.deepEqual((await takeLetters(world)).map(({ to }) => to).sort(), [
    'old@example.com',
    member.account,
  ])
  t.is(text(await open('/account/email'), '#current-address'), 'new@example.com')
  t.truthy((await reader.open(link)).document.querySelector('#confirm-used'), 'and again')

  await browser.submit(await open('/account/email'), 'email-form', {
    address: 'late@example.com',
    again: 'late@example.com',
  })
  const [late] = await takeLetters(world)
  pass(24 * 60 * 60 + 1)
  const over = await reader.open(linkIn(late ?? { text: '' }))
  t.is(over.status, 410)
  t.truthy(over.document.querySelector('#confirm-expired'))
  t.is((await reader.open(`${world.issuer}/account/email/confirm/nonsense`)).status, 410)
  const told = world.log.filter(
    (line) => /@example\.com/.test(line) || line.includes(link.slice(-43)),
  )
  t.deepEqual(told, [])
})

test('her sessions: this one is marked, another is ended, and so are all others', async (t) => {
  const world = await buildWorld(t)
  const member = await openMember(world)
  const { browser, open } = member
  const phone = openBrowser({ 'user-agent': 'Mozilla/5.0 (iPhone) Version/18.0 Safari/604.1' })
  await signInAgain(world, phone, member)
  const page = await open('/account/sessions')
  const list = page.document.querySelectorAll('[id^=session-]').map((one) => one.text)
  t.is(list.length, 2)
  t.is(list.filter((one) => one.includes('這個裝置') && one.includes('Chrome · Windows')).length, 1)
  const other = list.findIndex((one) => one.includes('Safari · iPhone'))
  t.false(list[other]?.includes('這個裝置'))
  const ended = await browser.submit(page, `end-form-${other}`)
  t.is(ended.url.search, '?done=ended')
  t.truthy((await phone.open(`${world.issuer}/account`)).document.querySelector('#local-form'))
  t.is((await browser.submit(page, `end-form-${other}`)).status, 404, 'it is over already')

  await signInAgain(world, phone, member)
  const all = await browser.submit(await open('/account/sessions'), 'end-others-form')
  t.is(all.document.querySelectorAll('[id^=session-]').length, 1)
  t.truthy((await phone.open(`${world.issuer}/account`)).document.querySelector('#local-form'))
})

test('an app she withdraws from has no token left and asks again', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ firstParty: false, name: '校外測驗平台' })
  const { browser, open, sub } = await openMember(world)
  const consent = await rp.begin(browser, {
    scope: 'openid profile offline_access',
    prompt: 'consent',
  })
  const back = await browser.submit(consent, 'consent-form', { decision: 'allow' })
  const { body } = await rp.redeem(back.url)
  const page = await open('/account/apps')
  t.true(text(page, '#app-0').includes('校外測驗平台'))
  t.true(text(page, '#app-0').includes('姓名與基本資料'))
  const after = await browser.submit(page, 'withdraw-form-0')
  t.is(after.url.search, '?done=withdrawn')
  t.truthy(after.document.querySelector('#no-apps'))
  t.is((await refresh(rp, body.refresh_token)).body.error, 'invalid_grant')
  t.is((await rp.get('/me', body.access_token)).status, 401)
  t.is(await world.house.store.consents.find(sub, rp.clientId), undefined)
  t.truthy((await rp.begin(browser)).document.querySelector('#consent-form'))
})

test('an app whose choice she forgot is still listed', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const { browser, open, sub } = await openMember(world)
  await addSchools(world, sub, ['014569', '014570'])
  const choose = await rp.begin(browser, { scope: 'openid eduinfo' })
  await browser.submit(choose, 'affiliation-form', { affiliation: '014570:teacher' })
  const page = await open('/account/apps')
  const after = await browser.submit(page, 'forget-form-0')
  t.is(after.url.pathname + after.url.search, '/account/apps?done=forgotten')
  t.true(text(after, '#app-0').includes('課程平台'))
  t.falsy(after.document.querySelector('#forget-form-0'))
})

test('her sign-ins are listed a page at a time', async (t) => {
  const world = await buildWorld(t)
  const { browser, open, sub } = await openMember(world)
  const at = Math.floor(Date.now() / 1000)
  for (let i = 0; i < 30; i++) {
    await world.house.store.audit.record({
      at: at - 1000 - i,
      actor: sub,
      action: 'session.sign-in',
      target: 'client:gone',
      outcome: 'ok',
      address: '203.0.113.77',
      details: { way: 'upstream', connector: 'ntpc' },
    })
  }
  const first = await open('/account/history')
  t.is(first.document.querySelectorAll('#sign-ins > li').length, 20)
  t.true(text(first, '#sign-ins').includes('新北市帳號'))
  t.true(first.html.includes('203.0.113.0') && !first.html.includes('203.0.113.77'))
  const older = first.document.querySelector('#older')?.getAttribute('href') ?? ''
  const second = await browser.open(`${world.issuer}${older}`)
  t.is(second.document.querySelectorAll('#sign-ins > li').length, 11)
  t.falsy(second.document.querySelector('#older'))
})

test('all of her as a file, by a form only', async (t) => {
  const world = await buildWorld(t)
  const { browser, open, sub } = await openMember(world)
  const file = await browser.submit(await open('/account/export'), 'export-form')
  t.is(file.status, 200)
  t.regex(
    file.headers.get('content-disposition') ?? '',
    /^attachment; filename="educloud-\d{4}-\d\d-\d\d\.json"$/,
  )
  t.is(file.headers.get('cache-control'), 'no-store')
  t.like(JSON.parse(file.html), { account: { sub } })
  const [event] = await world.house.store.auditReads.list({ limit: 1, action: 'account.export' })
  t.is(event?.actor, sub)
})

test('closed: out everywhere; back by signing in while there is time, and only in the browser that did', async (t) => {
  const { world, pass } = await clockWorld(t)
  const member = await openMember(world)
  const { browser, open, sub, account, password } = member
  const wrong = await browser.submit(await open('/account/close'), 'close-form', { phrase: 'x' })
  t.is(wrong.status, 422)
  const closed = await browser.submit(wrong, 'close-form', { phrase: account })
  t.is(closed.url.pathname, '/account/closed')
  t.truthy((await open('/account')).document.querySelector('#local-form'))
  const { store } = world.house
  t.is((await store.accounts.find(sub))?.status, 'closed')
  await takeLetters(world)

  const barred = await signInAgain(world, browser, member)
  t.is(barred.status, 403)
  t.regex(text(barred, '#problem-title'), /^帳號已關閉，可在 ?\d{4}年\d+月\d+日 ?前恢復$/)
  const proof = barred.document.querySelector('[name=proof]')?.getAttribute('value') ?? ''

  // Somebody else with that proof, in his own request.
  const thief = openBrowser()
  const his = await thief.open(`${world.issuer}/account`)
  const stolen = await thief.open(`${his.url.href.split('?')[0]}/reopen`, {
    method: 'POST',
    body: new URLSearchParams({
      form_token:
        his.document.querySelector('#local-form [name=form_token]')?.getAttribute('value') ?? '',
      proof,
    }),
  })
  t.is(stolen.status, 409)
  t.is((await store.accounts.find(sub))?.status, 'closed')

  const back = await browser.submit(barred, 'next-reopen-form')
  t.is(back.url.pathname, '/account')
  t.is(back.status, 200)
  t.is((await store.accounts.find(sub))?.status, 'active')
  t.is((await takeLetters(world)).length, 1)
  t.is((await browser.submit(barred, 'next-reopen-form')).status, 400, 'once')

  await browser.submit(await open('/account/close'), 'close-form', { phrase: account })
  const late = await signInAgain(world, browser, member)
  pass(11 * 60)
  t.is((await browser.submit(late, 'next-reopen-form')).status, 409, 'a page left open')
  pass(30 * 24 * 60 * 60)
  const over = await signInAgain(world, openBrowser(), { account, password })
  t.is(over.status, 403)
  t.falsy(over.document.querySelector('#next-reopen-form'))
})
