import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { openRequestCourier } from '#jobs/deliver-request.ts'
import { openAdapter } from '#oidc/adapter.ts'
import { endSessions } from '#oidc/sessions.ts'
import { openDatabase } from '#store/database.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { buildStore } from '../helpers/database.ts'
import { linkIn, takeAnswers, takeLetters } from '../helpers/letters.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { signIn } from '../helpers/sign-in.ts'
import { buildWorld, type World } from '../helpers/world.ts'

/** Numbers that hold nobody up. */
const patient = {
  recovery: { pause_seconds: 1, per_account_per_hour: 10_000, per_source_per_hour: 10_000 },
}
const backup = 'wang.backup@example.org'
const another = 'three quiet rivers at noon'

async function ask(world: World, account: string, browser = openBrowser()): Promise<Page> {
  const page = await browser.open(`${world.issuer}/reset`)
  return browser.submit(page, 'reset-form', { account })
}

const keep = (world: World, accountId: string, value = backup) =>
  world.house.store.recoveryAddresses.put({ accountId, value, createdAt: 1 })

/** The link she is sent. */
async function linkFor(world: World, account: string): Promise<string> {
  await ask(world, account)
  const [letter] = await takeAnswers(world)
  if (!letter) throw new Error('no letter')
  return linkIn(letter)
}

const set = (browser: Browser, page: Page, password = another) =>
  browser.submit(page, 'password-form', { password, again: password })

/** Signs in at a new browser; true if that leads to the app. */
async function comesIn(world: World, account: string, password: string): Promise<boolean> {
  const rp = await world.buildApp()
  const browser = openBrowser()
  const page = await rp.begin(browser)
  return arrivedAt(rp, await browser.submit(page, 'local-form', { account, password }))
}

const statusOf = (world: World, id: string, status: string) =>
  inDatabase(world, (knex) => knex('account').where({ id }).update({ status }))

async function inDatabase<T>(
  world: World,
  work: (knex: ReturnType<typeof openDatabase>) => Promise<T>,
): Promise<T> {
  const knex = openDatabase(world.house.config.database)
  try {
    return await work(knex)
  } finally {
    await knex.destroy()
  }
}

test('who lost her password sets another one by the link to her backup address; whatever was open elsewhere is over', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ backchannelLogoutUri: 'https://app.example/logout' })
  const {
    person,
    browser: thief,
    back: consent,
  } = await signIn(world, rp, { scope: 'openid offline_access', prompt: 'consent' })
  const back = await thief.submit(consent, 'consent-form', { decision: 'allow' })
  t.true(arrivedAt(rp, back), back.html)
  const { body: tokens } = await rp.redeem(back.url)
  t.truthy(tokens.refresh_token)
  await keep(world, person.sub)

  const hers = openBrowser()
  const sent = await ask(world, 'wang', hers)
  t.is(sent.status, 200)
  t.is(sent.url.pathname, '/reset/sent')
  t.true(sent.html.includes('若有這個帳號'))
  const letters = await takeAnswers(world)
  t.deepEqual(
    letters.map(({ to }) => to),
    [backup],
  )
  const [letter] = letters
  t.true(letter?.text.includes(person.account))

  const form = await hers.open(linkIn(letter ?? { text: '' }))
  t.is(form.status, 200)
  const done = await set(hers, form)
  t.is(done.url.pathname, '/reset/done')
  t.true(done.html.includes('其他裝置都已登出'))

  const told = await takeLetters(world)
  t.deepEqual(told.map(({ to }) => to).sort(), [backup, person.account])
  t.true(told.every(({ subject }) => subject.includes('密碼')))

  // The link opened no session.
  const account = await hers.open(`${world.issuer}/account`)
  t.truthy(account.document.querySelector('#local-form'))
  t.false(await comesIn(world, person.account, person.password))
  t.true(await comesIn(world, person.account, another))

  // The other browser's session, tokens and grant are dead, and its app hears of it.
  const silent = await thief.open(rp.authorize({ prompt: 'none' }))
  t.is(silent.url.searchParams.get('error'), 'login_required')
  t.is((await rp.get('/me', tokens.access_token)).status, 401)
  const refreshed = await rp.token({
    grant_type: 'refresh_token',
    refresh_token: tokens.refresh_token ?? '',
  })
  t.is(refreshed.body.error, 'invalid_grant')
  const farewells = (await world.house.store.outbox.list()).filter(
    ({ kind, target }) => kind === 'backchannel-logout' && target === rp.clientId,
  )
  t.is(farewells.length, 1)
  const kept = await world.house.store.recoveryAddresses.find(person.sub)
  t.truthy(kept?.confirmedAt, 'who used the link reads that address')
  const trail = await world.house.store.auditReads.list({ limit: 20, action: 'password.reset' })
  t.like(trail, [
    { actor: person.sub, target: person.sub, outcome: 'ok', details: { sessions: 1 } },
  ])
})

test('nobody learns from the page whether there is such an account: words, status, headers and statements are the same', async (t) => {
  const world = await buildWorld(t, { limits: patient })
  const person = await world.buildPerson()
  await keep(world, person.sub)
  // It looks at how upstreams fare every few seconds, and has statements of its own.
  await world.house.upstreamHealth.close()
  // So has the courier, who looks into what was asked: he comes when all have their answers.
  const { outbox } = world.house.store
  const { claim } = outbox
  outbox.claim = async () => []
  const seen = async (account: string) => {
    const browser = openBrowser()
    const page = await browser.open(`${world.issuer}/reset`)
    const token = page.document.querySelector('[name=form_token]')?.getAttribute('value') ?? ''
    const before = world.house.store.statements()
    const answer = await browser.request(`${world.issuer}/reset`, {
      method: 'POST',
      body: new URLSearchParams({ form_token: token, account }),
    })
    const statements = world.house.store.statements() - before
    const shown = await browser.open(
      new URL(answer.headers.get('location') ?? '', world.issuer).href,
    )
    const differs = new Set(['date', 'x-reference'])
    const headers = [...answer.headers].filter(([name]) => !differs.has(name))
    return { status: answer.status, headers, words: shown.html, statements }
  }
  const [known, byBackup, nobody, stranger] = [
    await seen(person.account),
    await seen(backup),
    await seen('nobody@mail.edu.tw'),
    await seen('stranger@example.org'),
  ]
  t.is(known.status, 303)
  t.deepEqual(byBackup, known)
  t.deepEqual(nobody, known)
  t.deepEqual(stranger, known)
  outbox.claim = claim
  world.house.background.deliver()
  t.deepEqual(
    (await takeAnswers(world)).map(({ to }) => to),
    [backup, backup],
  )
})

test('nor from how long it takes', async (t) => {
  const world = await buildWorld(t, { limits: patient })
  const { store } = world.house
  const known = Array.from({ length: 40 }, (_, i) => `known${i}@mail.edu.tw`)
  for (const value of known) {
    const accountId = randomUUID()
    const row = { id: accountId, kind: 'person', status: 'active' as const, profile: {} }
    await store.accounts.create({ ...row, createdAt: 1, updatedAt: 1 })
    await store.identifiers.take({ type: 'email', value, accountId, verifiedAt: 1 })
  }
  const browser = openBrowser()
  const page = await browser.open(`${world.issuer}/reset`)
  const token = page.document.querySelector('[name=form_token]')?.getAttribute('value') ?? ''
  const ask = async (account: string) => {
    const body = new URLSearchParams({ form_token: token, account })
    const started = performance.now()
    const { status } = await browser.request(`${world.issuer}/reset`, { method: 'POST', body })
    t.is(status, 303)
    return performance.now() - started
  }
  // A busy machine makes any one answer late: what would tell is one kind that is later nearly every time.
  let later = 0
  for (const [i, hers] of known.entries()) {
    const theirs = hers.replace('known', 'nobody')
    const first = await ask(i % 2 ? hers : theirs)
    const second = await ask(i % 2 ? theirs : hers)
    if (i % 2 ? first > second : second > first) later++
  }
  t.true(later > 8 && later < 32, `the known name took longer ${later} times of 40`)
  t.is((await takeAnswers(world)).length, 40)
})

test('who may not sign in gets nothing, nor does a stranger whose address somebody types', async (t) => {
  const world = await buildWorld(t, { limits: patient })
  const person = await world.buildPerson()
  await keep(world, person.sub)
  for (const status of ['suspended', 'closed', 'pending']) {
    await statusOf(world, person.sub, status)
    await ask(world, person.account)
    t.deepEqual(await takeAnswers(world), [], status)
    await sleep(1_050)
  }
  await statusOf(world, person.sub, 'active')
  for (const name of [
    'nobody',
    'stranger@example.org',
    "' OR 1=1 --",
    '%@%',
    'wang@mail.edu.tw,x@y',
  ])
    await ask(world, name)
  t.deepEqual(await takeAnswers(world), [])
})

test('without a backup address the letter goes to the address she signs in with, if it was verified', async (t) => {
  const world = await buildWorld(t, { limits: patient })
  const person = await world.buildPerson()
  await ask(world, person.account)
  t.deepEqual(
    (await takeAnswers(world)).map(({ to }) => to),
    [person.account],
  )
  await inDatabase(world, (knex) =>
    knex('identifier').where({ account_id: person.sub }).update({ verified_at: null }),
  )
  await sleep(1_050)
  await ask(world, person.account)
  t.deepEqual(await takeAnswers(world), [])
})

test('a backup address two accounts share gets one letter for each, which opens that account only', async (t) => {
  const world = await buildWorld(t)
  const [one, two] = [
    await world.buildPerson(),
    await world.buildPerson({ account: 'li@mail.edu.tw', name: '李小華' }),
  ]
  await keep(world, one.sub)
  await keep(world, two.sub)
  await ask(world, ` ${backup.toUpperCase()} `)
  const letters = await takeAnswers(world)
  t.deepEqual(
    letters.map(({ to }) => to),
    [backup, backup],
  )
  const forTwo = letters.find(({ text }) => text.includes(two.account))
  t.false(forTwo?.text.includes(one.account))
  const browser = openBrowser()
  await set(browser, await browser.open(linkIn(forTwo ?? { text: '' })))
  t.true(await comesIn(world, two.account, another))
  t.true(await comesIn(world, one.account, one.password))
})

test('a mail scanner may open the link as often as it likes: it stays good for the person', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  const link = await linkFor(world, person.account)
  for (let i = 0; i < 5; i++) {
    const scanner = await fetch(link, { method: i % 2 ? 'HEAD' : 'GET' })
    t.is(scanner.status, 200)
  }
  t.true(await comesIn(world, person.account, person.password))
  // Opened where she reads her mail: another browser than the one she asked in.
  const browser = openBrowser()
  const done = await set(browser, await browser.open(link))
  t.is(done.url.pathname, '/reset/done')
  const again = await browser.open(link)
  t.is(again.status, 410)
  t.true(again.html.includes('已經用過'))
  t.truthy(again.document.querySelector('a[href="/reset"]'))
})

test('of several who use one link at the same moment one sets the password', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  const link = await linkFor(world, person.account)
  const all = await Promise.all(
    Array.from({ length: 5 }, async (_, i) => {
      const browser = openBrowser()
      const password = `${another} ${i}`
      const page = await set(browser, await browser.open(link), password)
      return { password, done: page.url.pathname === '/reset/done', status: page.status }
    }),
  )
  const [winner, ...others] = all.filter(({ done }) => done)
  t.is(others.length, 0)
  t.true(all.every(({ done, status }) => done || status === 410))
  t.true(await comesIn(world, person.account, winner?.password ?? ''))
})

test('a link is good for an hour, and only the newest one', async (t) => {
  let ahead = 0
  const world = await buildWorld(t, { limits: patient, now: () => Date.now() + ahead })
  const person = await world.buildPerson()
  const older = await linkFor(world, person.account)
  ahead += 2_000
  const link = await linkFor(world, person.account)
  const browser = openBrowser()
  t.is((await browser.open(older)).status, 410)
  const form = await browser.open(link)
  t.is(form.status, 200)
  ahead += 60 * 60 * 1000
  const late = await set(browser, form)
  t.is(late.status, 410)
  t.true(late.html.includes('已經過期'))
  t.true(late.html.includes('您的密碼沒有變動'))
  t.is((await browser.open(`${world.issuer}/reset/${'x'.repeat(43)}`)).status, 410)
})

test('a link to an address that is hers no more opens nothing', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  await keep(world, person.sub)
  const link = await linkFor(world, person.account)
  await keep(world, person.sub, 'new@example.org')
  t.is((await openBrowser().open(link)).status, 410)
})

test('a password that will not do, or typed differently, is refused and the link stays good', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  const browser = openBrowser()
  const form = await browser.open(await linkFor(world, person.account))
  for (const password of ['short', person.account, '1234567890'])
    t.is((await set(browser, form, password)).status, 422, password)
  const differs = await browser.submit(form, 'password-form', { password: another, again: 'x' })
  t.is(differs.status, 422)
  t.truthy(differs.document.querySelector('[role=alert] a[href="#again"]'))
  t.false(differs.html.includes(another))
  t.is((await set(browser, differs)).url.pathname, '/reset/done')
})

test('a sign-in with the old password that was kept back opens nothing after the reset', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp()
  const person = await world.buildPerson()
  const thief = openBrowser()
  const page = await rp.begin(thief)
  const form = page.document.querySelector('#local-form')
  const answered = await thief.request(
    new URL(form?.getAttribute('action') ?? '', world.issuer).href,
    {
      method: 'POST',
      body: new URLSearchParams({
        form_token: form?.querySelector('[name=form_token]')?.getAttribute('value') ?? '',
        account: person.account,
        password: person.password,
      }),
    },
  )
  const resume = answered.headers.get('location') ?? ''
  t.regex(resume, /\/auth\//, 'the password was right')
  const hers = openBrowser()
  await set(hers, await hers.open(await linkFor(world, person.account)))
  const late = await thief.open(new URL(resume, world.issuer).href)
  t.false(arrivedAt(rp, late))
  const silent = await thief.open(rp.authorize({ prompt: 'none' }))
  t.is(silent.url.searchParams.get('error'), 'login_required')
})

test('a session that was ended does not go on under another id', async (t) => {
  const store = await buildStore(t)
  const at = Math.floor(Date.now() / 1000)
  await store.accounts.create({
    id: 'a',
    kind: 'person',
    status: 'active',
    profile: {},
    createdAt: at,
    updatedAt: at,
  })
  const sessions = openAdapter(store, { now: Date.now, dataKey: Buffer.alloc(32) })('Session')
  const payload = { kind: 'Session', uid: 'u', accountId: 'a', exp: at + 60 }
  await sessions.upsert('before', payload, 60)
  t.is(await store.transaction((tables) => endSessions(tables, 'a', at)), 1)
  await t.throwsAsync(async () => sessions.destroy('before'), { message: /invalid_request/ })
  // Two tabs that change it at the same moment do not trouble each other.
  await sessions.upsert('one', payload, 60)
  await sessions.destroy('one')
  await t.notThrowsAsync(async () => sessions.destroy('one'))
})

test('a courier who is killed over a request, or has it twice, sends one letter', async (t) => {
  const world = await buildWorld(t)
  const { house } = world
  const person = await world.buildPerson()
  const request = {
    ask: 'reset',
    account: person.account,
    language: 'zh-TW',
    where: { ref: 'R', address: '127.0.0.1' },
  }
  const at = Math.floor(Date.now() / 1000)
  // Not due: the world's own courier leaves it alone.
  const id = await house.store.outbox.put({
    kind: 'request',
    target: 'R',
    payload: request,
    createdAt: at,
    dueAt: at + 3600,
  })
  const killed = openRequestCourier({
    ...house,
    recovery: {
      ...house.recovery,
      writeLetter() {
        throw new Error('killed')
      },
    },
  })
  const courier = openRequestCourier(house)
  const { signal } = new AbortController()
  await t.throwsAsync(() => killed.deliver({ id, payload: request }, signal))
  await Promise.all(
    Array.from({ length: 4 }, () => courier.deliver({ id, payload: request }, signal)),
  )
  await courier.deliver({ id, payload: request }, signal)
  t.is((await takeAnswers(world)).length, 1)
})

test('asking again at once is turned away in the same words, whoever has the name', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  const held = async (name: string) => {
    await ask(world, name)
    // Two minutes are told as such, less in seconds.
    await sleep(1_050)
    const page = await ask(world, name)
    t.is(page.status, 429)
    t.is(page.document.querySelector('#account')?.getAttribute('value'), name)
    const wait = Number(page.headers.get('retry-after'))
    t.true(wait > 110 && wait <= 120, `${wait}`)
    return page.document.querySelector('#problem')?.textContent.replace(/\d+/, 'N')
  }
  const known = await held(person.account)
  t.is(await held('nobody@mail.edu.tw'), known)
  t.is((await takeAnswers(world)).length, 1)
  // The same account by its other spelling.
  t.is((await ask(world, 'WANG')).status, 429)
})

test('five letters an hour for one account, twenty requests from one address', async (t) => {
  let ahead = 0
  const world = await buildWorld(t, { now: () => Date.now() + ahead })
  const person = await world.buildPerson()
  const statuses: number[] = []
  for (let i = 0; i < 6; i++) {
    statuses.push((await ask(world, person.account)).status)
    ahead += 121_000
  }
  t.deepEqual(statuses, [200, 200, 200, 200, 200, 429])
  for (let i = 0; i < 15; i++) t.is((await ask(world, `nobody${i}`)).status, 200)
  t.is((await ask(world, 'nobody-else')).status, 429)
  ahead += 60 * 60 * 1000
  t.is((await ask(world, person.account)).status, 200)
})

test('neither the log nor the audit trail says who asked for what link', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  await keep(world, person.sub)
  const link = await linkFor(world, person.account)
  const browser = openBrowser()
  await set(browser, await browser.open(link))
  await takeAnswers(world)
  const trail = JSON.stringify(await world.house.store.auditReads.list({ limit: 100 }))
  const token = link.split('/').at(-1) ?? ''
  for (const secret of [token, backup, person.account, another]) {
    t.false(world.log.join('\n').includes(secret), secret)
    t.false(trail.includes(secret), secret)
  }
  t.true(trail.includes('password.reset-ask'))
})

test('another site cannot ask in somebody’s name', async (t: ExecutionContext) => {
  const world = await buildWorld(t)
  const body = new URLSearchParams({ account: 'wang' })
  const crossed = await fetch(`${world.issuer}/reset`, {
    method: 'POST',
    body,
    headers: { 'sec-fetch-site': 'cross-site' },
  })
  t.is(crossed.status, 403)
  t.deepEqual(await takeAnswers(world), [])
})
