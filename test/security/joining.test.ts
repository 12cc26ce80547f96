/** Joining, seen by who wants somebody else's application, or only wants it to hurt. */
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import type { Connector } from '#federation/connector.ts'
import { forgetClient } from '#oidc/remembered-clients.ts'
import { openMember, signInAgain } from '../helpers/account.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { field, rulesOf } from '../helpers/enrolment-town.ts'
import {
  agree,
  beginAs,
  headingOf,
  mailbox,
  otherAnswers,
  password,
  problemsOf,
  proveAt,
  schoolAnswers,
  stepOf,
} from '../helpers/joining.ts'
import { buildIdentity } from '../helpers/people.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { connectUpstream } from '../helpers/upstreams.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const town: Parameters<typeof buildWorld>[1] = { sandbox: true, enrolments: 'as configured' }

const send = (browser: Browser, page: Page, fields: Record<string, string> = {}) =>
  browser.submit(page, 'joining-form', fields)

/** Sends a form of ours by hand, with this browser's token. */
async function post(
  world: World,
  browser: Browser,
  path: string,
  fields: Record<string, string> = {},
): Promise<Page> {
  const { document } = await browser.open(`${world.issuer}/resend`)
  const token = document.querySelector('[name=form_token]')?.getAttribute('value') ?? ''
  return browser.request(`${world.issuer}${path}`, {
    method: 'POST',
    body: new URLSearchParams({ form_token: token, ...fields }),
  })
}

/** Whoever gets stuck here has somewhere to go, in her language. */
async function hasAWayOn(t: ExecutionContext, browser: Browser, page: Page) {
  for (const lang of ['zh-TW', 'en']) {
    const there = new URL(page.url.href)
    there.searchParams.set('lang', lang)
    const shown = await browser.open(there.href)
    t.is(shown.document.querySelector('html')?.getAttribute('lang'), lang)
    t.true(shown.document.querySelectorAll('#main a.button, #main button').length > 0, shown.html)
  }
}

const joinedAs = async (browser: Browser, world: World, account = 'yawen.lin') => {
  const form = await proveAt(browser, await beginAs(browser, world, 'school'), 'ntpc', 'ntpctest')
  return send(browser, await send(browser, form, { ...schoolAnswers, account }))
}

test('an application is worth nothing in another browser, whatever is sent there', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  const form = await beginAs(browser, world, 'other')
  const [, , id = ''] = form.url.pathname.split('/')
  const thief = openBrowser()
  await thief.open(`${world.issuer}/join`)
  const seen = await thief.open(form.url.href)
  t.is(seen.status, 403)
  await hasAWayOn(t, thief, seen)
  for (const [path, fields] of [
    [`/joining/${id}/other-form`, otherAnswers],
    [`/joining/${id}/other-form/check`, { field: 'email', value: 'x' }],
    [`/joining/${id}/later`, { address: 'mallory@example.com' }],
    [`/joining/${id}/discard`, {}],
    [`/joining/${id}/enter`, {}],
  ] as const)
    t.is((await post(world, thief, path, fields)).status, 403, path)
  t.is(stepOf(await browser.open(form.url.href)), 'other-form', 'it is as it was')

  const bare = await fetch(form.url, { redirect: 'manual' })
  t.is(bare.status, 400, 'a browser that keeps no cookie is told so')
})

test('what is asked later cannot be answered first, and what is over cannot be answered at all', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  const form = await beginAs(browser, world, 'school')
  const [, , id = ''] = form.url.pathname.split('/')
  for (const step of ['school-form', 'check', 'activate', 'done', 'other-form', 'constructor']) {
    const skipped = await post(world, browser, `/joining/${id}/${step}`, {
      ...schoolAnswers,
      version: '2',
      status: 'active',
    })
    t.is(skipped.status, 303, step)
    t.is(skipped.headers.get('location'), `/joining/${id}`)
  }
  t.is(stepOf(await browser.open(form.url.href)), 'county')
  const joined = await send(
    browser,
    await send(browser, await proveAt(browser, form, 'ntpc', 'ntpctest'), schoolAnswers),
  )
  t.is(headingOf(joined), '註冊完成')
  const late = await post(world, browser, `/joining/${id}/kind`, { kind: 'other', version: '9' })
  t.is(late.headers.get('location'), `/joining/${id}`)
  t.is((await world.house.store.auditReads.list({ limit: 9, action: 'account.create' })).length, 1)
})

test('of a summary sent eight times at once one account comes, and every browser tab is told', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  const form = await proveAt(browser, await beginAs(browser, world, 'school'), 'ntpc', 'ntpctest')
  const check = await send(browser, form, schoolAnswers)
  const all = await Promise.all(Array.from({ length: 8 }, () => send(browser, check)))
  for (const page of all) t.is(headingOf(page), '註冊完成')
  const { store } = world.house
  t.is((await store.auditReads.list({ limit: 9, action: 'account.create' })).length, 1)
  const events = (await store.outbox.list()).filter(({ kind }) => kind === 'provisioning')
  const sent = await browser.open(`${world.counties}/mail`)
  t.is(events.length + sent.document.querySelectorAll('#events li').length, 1, 'one mailbox')
})

test('who has joined is signed in once, in her own browser, and not when the account is gone by then', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  const joined = await joinedAs(browser, world)
  const [, , id = ''] = joined.url.pathname.split('/')
  const rp = await world.buildApp()
  const hint = { login_hint: `joined:${id}` }

  // An app, or a page that knows the number, sends somebody else there.
  const victim = openBrowser()
  t.is((await rp.begin(victim, hint)).url.pathname.split('/')[1], 'interaction')
  t.truthy((await rp.begin(victim, hint)).document.querySelector('#local-form'))

  t.true(arrivedAt(rp, await rp.begin(browser, { ...hint, prompt: 'login', max_age: '600' })))
  const again = await rp.begin(browser, { ...hint, prompt: 'login' })
  t.truthy(again.document.querySelector('#local-form'), 'the next one at this computer is asked')
  const entered = await browser.submit(await browser.open(joined.url.href), 'enter-form')
  t.truthy(entered.document.querySelector('#local-form'))

  const second = openBrowser()
  const other = await beginAs(second, world, 'other')
  await send(second, await send(second, other, otherAnswers))
  const { link = '' } = (await mailbox(world)).find(({ to }) => to === otherAnswers.email) ?? {}
  const done = await second.submit(await second.open(link), 'link-form')
  const { store } = world.house
  const accountId = (await store.identifiers.find('email', otherAnswers.email))?.accountId ?? ''
  t.true(await store.accounts.close(accountId, 1))
  const gone = await second.submit(done, 'enter-form')
  t.not(gone.url.pathname, '/account')
  t.true(gone.status < 500, gone.html)
  t.true(gone.document.querySelectorAll('#main a, #main button').length > 0)
})

test('an app’s request of another browser does not come along', async (t) => {
  const world = await buildWorld(t, town)
  const rp = await world.buildApp()
  const victim = openBrowser()
  const question = await rp.begin(victim)
  const uid = question.url.pathname.split('/').at(-1) ?? ''
  const browser = openBrowser()
  const terms = await browser.open(`${world.issuer}/join?interaction=${uid}`)
  t.is(terms.document.querySelector('[name=interaction]'), null)
  const back = await browser.submit(terms, 'joining-form', {
    decision: 'disagree',
    interaction: uid,
  })
  t.is(back.url.pathname, '/', 'nor is it answered in her name')
  const still = await victim.open(question.url.href)
  t.truthy(still.document.querySelector('#local-form'))
})

test('the answer of a county counts in the application it was asked for, once', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  const county = await beginAs(browser, world, 'school')
  const form = await proveAt(browser, county, 'ntpc', 'ntpctest')
  const callback = form.trail.find((url) => url.includes('/callback?')) ?? ''
  t.not(callback, '')
  const thief = openBrowser()
  const his = await beginAs(thief, world, 'school')
  const stolen = await thief.open(callback)
  t.true(stolen.status >= 400)
  t.is(stepOf(await thief.open(his.url.href)), 'county')
  const twice = await browser.open(callback)
  t.is(twice.status, 400)
  t.truthy(twice.document.querySelector('#next-back'))
})

const member = rulesOf({
  id: 'more',
  entry: { member: {} },
  steps: [
    { id: 'county', type: 'upstream' },
    { id: 'data', type: 'form', fields: [field('nickname', 'text'), field('secret', 'password')] },
    { id: 'check', type: 'summary' },
  ],
  creates: { kind: 'more', profile: { nickname: 'nickname' }, password: 'secret' },
})

test('what a member began is hers alone, not of who sits down after her', async (t) => {
  const world = await buildWorld(t, { sandbox: true, enrolments: [member] })
  const she = await openMember(world)
  const { browser } = she
  const page = await browser.open(`${world.issuer}/join/more`)
  const atCounty = await browser.submit(page, 'joining-form', { connector: 'ntpc' })
  await browser.submit(await she.open('/session/end'), 'sign-out-form', { logout: 'yes' })

  const fields = { account: 'ntpctest', password: 'ntpctest' }
  const late = await browser.submit(atCounty, 'county-login', fields)
  t.is(late.status, 403, 'not even a trip of hers is ended for somebody else')
  const mine = await browser.open(`${world.issuer}/join`)
  const [, , id = ''] =
    mine.document.querySelector('a[href^="/joining/"]')?.getAttribute('href')?.split('/') ?? []
  if (id) t.is((await browser.open(`${world.issuer}/joining/${id}`)).status, 403)
  const other = await world.buildPerson({ account: 'chen@mail.edu.tw' })
  await signInAgain(world, browser, other)
  const application = new URL(late.url).pathname
  t.truthy(application)
  const trail = await world.house.store.auditReads.list({ limit: 9, action: 'account.upgrade' })
  t.deepEqual(trail, [])
  t.deepEqual(await world.house.store.identities.ofAccount(other.sub), [])
})

test('a member becomes more by the county that is hers already, and is not signed in anew by it', async (t) => {
  const world = await buildWorld(t, { sandbox: true, enrolments: [member] })
  const she = await openMember(world)
  const { browser } = she
  const identities = await she.open('/account/identities')
  const away = await browser.submit(identities, 'link-form', { connector: 'ntpc' })
  await browser.submit(away, 'county-login', { account: 'ntpctest', password: 'ntpctest' })
  const page = await browser.open(`${world.issuer}/join/more`)
  const form = await proveAt(browser, page, 'ntpc', 'ntpctest')
  t.is(stepOf(form), 'data', form.html)
  const answers = { nickname: '小明', secret: password, secret_again: password }
  const joined = await send(browser, await send(browser, form, answers))
  t.is(headingOf(joined), '註冊完成')
  t.like(await world.house.store.accounts.find(she.sub), { kind: 'more' })
  const { store } = world.house
  const id = joined.url.pathname.split('/').at(-1) ?? ''
  const entered = await browser.submit(joined, 'enter-form')
  t.is(entered.url.pathname, '/account')
  const rp = await world.buildApp()
  const asked = await rp.begin(browser, { login_hint: `joined:${id}`, prompt: 'login' })
  t.truthy(asked.document.querySelector('#local-form'), 'she proved nothing anew by it')
  t.is((await store.identities.ofAccount(she.sub)).length, 1)
})

/** Her county says who she was there before it moved to another protocol. */
function sayFormer(world: World, former: { issuer: string; subject: string }) {
  const county = world.house.trips.connectors.get('ntpc')
  if (!county) throw new Error('there is no such county')
  const complete: Connector['complete'] = async (...answer) => ({
    ...(await county.complete(...answer)),
    former: [former],
  })
  connectUpstream(world, { ...county, complete })
}

test('a member who becomes more has one link of her county, not two, also where it knew her otherwise before', async (t) => {
  const world = await buildWorld(t, { sandbox: true, enrolments: [member] })
  const { store } = world.house
  const former = { issuer: 'https://openid.example/', subject: 'https://openid.example/hers' }
  sayFormer(world, former)
  const link = (accountId: string) =>
    store.identities.link({
      ...buildIdentity({ connector: 'ntpc-openid', ...former }),
      id: 'before',
      accountId,
      createdAt: 1,
      readAt: 1,
    })
  const answers = { nickname: '小明', secret: password, secret_again: password }
  const she = await openMember(world)
  await link(she.sub)
  const page = await she.browser.open(`${world.issuer}/join/more`)
  const form = await proveAt(she.browser, page, 'ntpc', 'ntpctest')
  await send(she.browser, await send(she.browser, form, answers))
  const links = await store.identities.ofAccount(she.sub)
  t.deepEqual(
    links.map(({ id, connector }) => [id, connector]),
    [['before', 'ntpc']],
  )
  t.is((await store.affiliations.ofAccount(she.sub)).length, 1)
  t.like(await store.accounts.find(she.sub), {
    kind: 'more',
    profile: { nickname: { value: '小明' } },
  })
  const [moved] = await store.auditReads.list({ limit: 1, action: 'identity.rekey' })
  t.like(moved, { outcome: 'ok', target: she.sub })
})

test('how a county knew somebody else is nobody’s to join with, also if that was found out late', async (t) => {
  const world = await buildWorld(t, { sandbox: true, enrolments: [member] })
  const { store } = world.house
  const former = { issuer: 'https://openid.example/', subject: 'https://openid.example/his' }
  sayFormer(world, former)
  const she = await openMember(world)
  const he = await world.buildPerson({ account: 'chen@mail.edu.tw' })
  const page = await she.browser.open(`${world.issuer}/join/more`)
  const form = await proveAt(she.browser, page, 'ntpc', 'ntpctest')
  await store.identities.link({
    ...buildIdentity({ connector: 'ntpc-openid', ...former }),
    id: 'his',
    accountId: he.sub,
    createdAt: 1,
    readAt: 1,
  })
  const answers = { nickname: '小明', secret: password, secret_again: password }
  await send(she.browser, await send(she.browser, form, answers))
  t.deepEqual(await store.identities.ofAccount(she.sub), [])
  t.like(await store.accounts.find(she.sub), { kind: 'person' })
})

test('a member whose account was closed meanwhile changes nothing, and is not left standing', async (t) => {
  const world = await buildWorld(t, { sandbox: true, enrolments: [member] })
  const she = await openMember(world)
  const { browser } = she
  const page = await browser.open(`${world.issuer}/join/more`)
  const form = await proveAt(browser, page, 'ntpc', 'ntpctest')
  t.true(await world.house.store.accounts.close(she.sub, 1))
  const answers = { nickname: '小明', secret: password, secret_again: password }
  const sent = await send(browser, form, answers)
  t.is(sent.status, 403)
  t.true(sent.document.querySelectorAll('#main a.button').length > 0)
  t.like(await world.house.store.accounts.find(she.sub), { status: 'closed', kind: 'person' })
})

/** Statements so far, once couriers and the like have nothing to do. */
async function quiet({ house: { store } }: World): Promise<number> {
  for (;;) {
    const before = store.statements()
    await sleep(500)
    if (store.statements() === before) return before
  }
}

test('who waits for her mail is not told from who is nobody: status, words and statements are the same', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  await send(browser, await send(browser, await beginAs(browser, world, 'other'), otherAnswers))
  await world.buildPerson({ account: 'known@example.com' })
  await mailbox(world)
  const rp = await world.buildApp()
  // It looks at how upstreams fare every few seconds, and has statements of its own.
  await world.house.upstreamHealth.close()
  const seen = async (account: string) => {
    const guess = openBrowser()
    const page = await rp.begin(guess)
    const before = await quiet(world)
    // A registration is remembered for a second: read anew, it is one statement every time.
    forgetClient(world.house.provider, rp.clientId)
    const fields = { account, password: 'not the password' }
    const answer = await guess.submit(page, 'local-form', fields)
    const statements = world.house.store.statements() - before
    const [{ text = '' } = {}] = answer.document.querySelectorAll('#main')
    return { status: answer.status, statements, words: text.replaceAll(account, '') }
  }
  /** The best of three: now and then a statement belongs to something else. */
  const better = async (account: string) => {
    const tries = [await seen(account), await seen(account), await seen(account)]
    return tries.reduce((best, one) => (one.statements < best.statements ? one : best))
  }
  const waiting = await better(otherAnswers.email)
  const nobody = await better('nobody@example.com')
  const known = await better('known@example.com')
  t.is(waiting.status, 422)
  t.deepEqual(waiting, nobody)
  t.deepEqual({ ...known, statements: 0 }, { ...nobody, statements: 0 })
  t.true(Math.abs(known.statements - nobody.statements) <= 1)
})

test('neither the log nor the audit trail nor an address tells who joins, or with what', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  const form = await beginAs(browser, world, 'other')
  const { html } = await browser.submit(await browser.open(form.url.href), 'later-form', {
    address: 'later@example.com',
  })
  t.regex(html, /later@example\.com/)
  const now = await browser.open(form.url.href)
  await send(browser, await send(browser, now, { ...otherAnswers, phone: '0912345678' }))
  const letters = await mailbox(world, 2)
  const links = letters.map(({ link }) => link)
  const pages = await Promise.all(links.map((link) => browser.open(link)))
  for (const { headers } of pages) t.is(headers.get('referrer-policy'), 'no-referrer')
  const activate = links.find((link) => link.includes('/activate/')) ?? ''
  await browser.submit(await browser.open(activate), 'link-form')
  const trail = JSON.stringify(await world.house.store.auditReads.list({ limit: 100 }))
  const log = world.log.join('\n')
  t.true(trail.includes('account.create'))
  const tokens = links.map((link) => link.split('/').at(-1) ?? '')
  const personal = [
    otherAnswers.email,
    'later@example.com',
    otherAnswers.name,
    '阿明',
    '0912345678',
  ]
  for (const secret of [...tokens, ...personal, password, '$argon2']) {
    t.not(secret, '')
    t.false(log.includes(secret), secret)
    t.false(trail.includes(secret), secret)
  }
})

test('hostile words are kept as words, or not at all', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  const form = await beginAs(browser, world, 'other')
  const long = '長'.repeat(2_000)
  const script = '"><script>alert(1)</script>'
  for (const bad of [long, script, 'http://evil.example/', '<b>王</b>']) {
    const page = await send(browser, form, { ...otherAnswers, name: bad })
    t.is(page.status, 422)
    t.false(page.html.includes('<script>alert'))
  }
  const tricky = { ...otherAnswers, name: '王\u202e小明\u200b', nickname: script.slice(0, 30) }
  const check = await send(browser, form, { ...tricky, birthdate: '2015-01-01' })
  t.is(stepOf(check), 'guardian')
  const asked = await send(browser, check, {
    'guardian.name': `${script}\u202e`,
    'guardian.relation': '媽媽 http://evil.example',
    'guardian.email': 'mother@example.com',
    'guardian.email_again': 'mother@example.com',
  })
  t.deepEqual(problemsOf(asked), [])
  t.false(asked.html.includes('<script>alert'))
  const [letter] = await mailbox(world)
  t.regex(letter?.text ?? '', /王小明/)
  t.notRegex(letter?.text ?? '', /evil|\u202e|\u200b/)
  const guardian = await openBrowser().open(letter?.link ?? '')
  t.false(guardian.html.includes('<script>alert'))
  t.false(guardian.html.includes('\u202e'))
})

test('a thousand answers a minute from one address are not even looked at', async (t) => {
  const limits = { joining: { answers_per_source_per_minute: 10 } }
  const world = await buildWorld(t, { ...town, limits })
  const browser = openBrowser()
  const form = await beginAs(browser, world, 'other')
  const slip = { ...otherAnswers, birthdate: 'never' }
  const statuses: number[] = []
  let last: Page | undefined
  for (let i = 0; i < 30; i++) {
    last = await send(browser, form, slip)
    statuses.push(last.status)
  }
  t.is(statuses.at(0), 422)
  t.is(statuses.at(-1), 429)
  t.true(Number(last?.headers.get('retry-after')) > 0)
  t.true((last?.document.querySelectorAll('#main a').length ?? 0) > 0, last?.html)
  const checks: number[] = []
  for (let i = 0; i < 40; i++) {
    const check = { field: 'email', value: `${i}` }
    checks.push((await post(world, browser, `${form.url.pathname}/check`, check)).status)
  }
  t.is(checks.at(0), 200, 'names are looked up on an account of their own')
  t.is(checks.at(-1), 429)
})

test('trips of applications are counted as those of sign-ins are', async (t) => {
  const limits = { sources: { departures_per_minute: 5 } }
  const world = await buildWorld(t, { ...town, limits })
  const browser = openBrowser()
  const county = await beginAs(browser, world, 'school')
  let last: Page | undefined
  for (let i = 0; i < 15; i++) {
    const page = await browser.open(county.url.href)
    last = await send(browser, page, { connector: 'ntpc' })
  }
  t.is(last?.status, 429)
  t.is(last?.document.querySelector('#next-joining')?.getAttribute('href'), county.url.pathname)
})

test('a file at a step that asks for none is dropped as it comes', async (t) => {
  const world = await buildWorld(t, town)
  const browser = openBrowser()
  const kind = await agree(browser, await browser.open(`${world.issuer}/join`))
  const body = new FormData()
  for (const input of kind.document.querySelectorAll('#joining-form input[type=hidden]'))
    body.set(input.getAttribute('name') ?? '', input.getAttribute('value') ?? '')
  body.set('kind', 'other')
  body.set('picture', new Blob([Buffer.alloc(3_000_000)]), 'a.png')
  const answer = await browser.request(kind.url.href, { method: 'POST', body })
  t.is(answer.status, 303)
  const { enrolments } = world.house
  t.false(enrolments.takesFiles('member'))
})

test('a slip with a picture on the first page counts as begun: its rows are not for nothing', async (t) => {
  const first = rulesOf({
    id: 'member',
    steps: [
      {
        id: 'data',
        type: 'form',
        fields: [
          field('account', 'account'),
          field('secret', 'password'),
          field('picture', 'picture', { required: false }),
        ],
      },
    ],
    creates: { identifiers: [{ type: 'username', fact: 'account' }], password: 'secret' },
  })
  const limits = { joining: { starts_per_source_per_hour: 3 } }
  const world = await buildWorld(t, { sandbox: true, enrolments: [first], limits })
  const png =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  const statuses: number[] = []
  for (let i = 0; i < 5; i++) {
    const browser = openBrowser()
    const page = await browser.open(`${world.issuer}/join/member`)
    const body = new FormData()
    for (const input of page.document.querySelectorAll('#joining-form input[type=hidden]'))
      body.set(input.getAttribute('name') ?? '', input.getAttribute('value') ?? '')
    body.set('picture', new Blob([Buffer.from(png, 'base64')]), 'a.png')
    statuses.push((await browser.request(page.url.href, { method: 'POST', body })).status)
  }
  t.deepEqual(statuses, [422, 422, 422, 429, 429])
})
