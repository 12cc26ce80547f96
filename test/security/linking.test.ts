/** Whoever runs an upstream can claim any address: what it takes to link a new way in to an account that is there. */
import test, { type ExecutionContext } from 'ava'
import type { Connector, UpstreamIdentity } from '#federation/connector.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { beginAs } from '../helpers/joining.ts'
import { buildIdentity } from '../helpers/people.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { connectUpstream, connectVouching } from '../helpers/upstreams.ts'
import { buildWorld, type World } from '../helpers/world.ts'

type Said = Partial<UpstreamIdentity>

const claims = (email: string, more: Said = {}): Said => ({
  subject: 'attacker',
  profile: { name: '壞人', email },
  ...more,
})

type Scene = {
  world: World
  rp: RelyingParty
  /** Whose address it is. */
  victim: Awaited<ReturnType<World['buildPerson']>>
  /** What 新北市 says from now on. */
  say(said: Said): void
  /** To 新北市 and back. */
  come(browser?: Browser, more?: Record<string, string>): Promise<Page>
  links(sub?: string): Promise<string[]>
}

async function buildScene(
  t: ExecutionContext,
  options: Parameters<typeof buildWorld>[1] = {},
): Promise<Scene> {
  const world = await buildWorld(t, options)
  const rp = await world.buildApp()
  const victim = await world.buildPerson()
  let said: Said = claims(victim.account)
  connectVouching(world, 'ntpc', () => said)
  return {
    world,
    rp,
    victim,
    say(next) {
      said = next
    },
    come: (browser = openBrowser(), more = {}) => rp.begin(browser, { upstream: 'ntpc', ...more }),
    links: async (sub = victim.sub) =>
      (await world.house.store.identities.ofAccount(sub)).map(
        ({ connector, subject }) => `${connector} ${subject}`,
      ),
  }
}

const isOffer = (page: Page) => /^\/interaction\/[\w-]+\/link$/.test(page.url.pathname)

async function subOf(rp: RelyingParty, back: Page) {
  if (!arrivedAt(rp, back)) throw new Error(`${back.status} ${back.url.href}\n${back.html}`)
  return (await rp.verify((await rp.redeem(back.url)).body.id_token)).payload.sub
}

test('an upstream that claims a member’s address gets nothing by it, nor learns whose it is', async (t) => {
  const { rp, victim, say, come, links, world } = await buildScene(t)
  const verified = { name: '壞人', email: victim.account, emailVerified: true }
  for (const [what, said] of Object.entries({
    plain: claims(victim.account),
    'in capitals': claims(' WANG@Mail.Edu.TW ', { subject: 'second' }),
    'said to be verified': claims('', { subject: 'third', profile: verified }),
  })) {
    say(said)
    const browser = openBrowser()
    const page = await come(browser)
    t.true(isOffer(page), what)
    t.is(page.status, 200)
    t.true(page.html.includes('w•••@mail.edu.tw'), what)
    t.notRegex(page.html, new RegExp(`${victim.name}|${victim.sub}|wang@`, 'i'), what)
    t.is(page.document.querySelector('#word-form'), null, 'her word is not enough')
    // She does nothing: nothing comes of it.
    t.deepEqual(await links(), [], what)
    // Nor by guessing what a form of another policy would send.
    const { origin, pathname } = page.url
    const token = page.document.querySelector('[name=form_token]')?.getAttribute('value') ?? ''
    const offer = page.document.querySelector('[name=offer]')?.getAttribute('value') ?? ''
    const forced = await browser.open(`${origin}${pathname}/word`, {
      method: 'POST',
      body: new URLSearchParams({ form_token: token, offer }),
      headers: { origin, 'sec-fetch-site': 'same-origin' },
    })
    t.is(forced.status, 403, what)
    const alone = await browser.submit(page, 'alone-form')
    t.not(await subOf(rp, alone), victim.sub, what)
    t.deepEqual(await links(), [], what)
  }
  const names = await world.house.store.identifiers.ofAccount(victim.sub)
  t.deepEqual(
    names.map(({ value }) => value),
    [victim.account],
    'the name is hers still',
  )
  t.notRegex(world.log.join('\n'), /壞人|wang@|attacker/i)
})

test('addresses that are nobody’s here make an account of her own at once, as before', async (t) => {
  const { rp, victim, say, come } = await buildScene(t)
  for (const [subject, email] of [
    ['no-address', undefined],
    ['another', 'wang@mail.edu.tw.example'],
    ['a-name', 'wang'],
  ] as const) {
    say({ subject, profile: { name: '某人', ...(email ? { email } : {}) } })
    t.not(await subOf(rp, await come()), victim.sub, subject)
  }
})

test('who signs in to that account has it linked, is told by mail, and comes in by it from then on', async (t) => {
  const { world, rp, victim, come, links } = await buildScene(t)
  const browser = openBrowser()
  const { session: name } = world.house.cookies
  const sessionOf = async () =>
    (await browser.jar.getCookies(world.issuer)).find(({ key }) => key === name)?.value
  // Somebody who had this browser before knows its session.
  t.is(
    await subOf(rp, await browser.submit(await rp.begin(browser), 'local-form', victim)),
    victim.sub,
  )
  const fixed = await sessionOf()
  t.truthy(fixed)
  const page = await come(browser, { prompt: 'login' })
  const { account, password } = victim
  const wrong = await browser.submit(page, 'hers-form', { account, password: 'not her password' })
  t.is(wrong.status, 422)
  t.true(isOffer(await browser.open(wrong.url.href.replace('/sign-in', ''))))
  t.is(wrong.document.querySelector('#account')?.getAttribute('value'), account)
  t.is(wrong.document.querySelector('#password')?.getAttribute('value') ?? '', '')
  t.deepEqual(await links(), [])
  const back = await browser.submit(wrong, 'hers-form', { account, password })
  t.is(await subOf(rp, back), victim.sub)
  t.deepEqual(await links(), ['ntpc attacker'])
  const session = await sessionOf()
  t.truthy(session)
  t.not(session, fixed, 'a session of its own')
  const { store } = world.house
  t.true((await store.outbox.list()).some(({ target }) => target === 'mail.edu.tw'))
  const actions = (await store.auditReads.list({ limit: 20 }))
    .map(({ action, outcome }) => `${action} ${outcome}`)
    .filter((one) => /identity|sign-in/.test(one))
  t.deepEqual(actions, [
    'identity.link ok',
    'session.sign-in ok',
    'session.sign-in wrong',
    'identity.link offered',
    'session.sign-in ok',
  ])
  t.is(await subOf(rp, await come(openBrowser())), victim.sub)
})

test('another account than the one asked for is refused in words, and the offer stays', async (t) => {
  const { world, rp, victim, come, links } = await buildScene(t)
  const other = await world.buildPerson({ account: 'chen@mail.edu.tw' })
  connectVouching(world, 'kh', () => ({ subject: 'unknown-there', profile: { name: '某人' } }))
  const browser = openBrowser()
  const page = await come(browser)
  const refused = await browser.submit(page, 'hers-form', other)
  t.is(refused.status, 422)
  t.regex(refused.document.querySelector('#problem')?.text ?? '', /另一個帳號/)
  t.deepEqual([await links(), await links(other.sub)], [[], []])
  const inside = await browser.open(`${world.issuer}/account`)
  t.not(inside.url.pathname, '/account', 'nobody is signed in by that')

  const unknown = await browser.submit(page, 'county-form', { connector: 'kh' })
  t.true(isOffer(unknown))
  t.regex(unknown.document.querySelector('#problem')?.text ?? '', /還沒有連結這裡的任何帳號/)
  t.is(await world.house.store.identities.find('https://kh.example', 'unknown-there'), undefined)
  const none = await browser.submit(unknown, 'county-form', { connector: '' })
  t.is(none.status, 422)
  t.is(none.document.querySelector('#upstream-problem a')?.getAttribute('href'), '#connector')
  const back = await browser.submit(none, 'hers-form', victim)
  t.is(await subOf(rp, back), victim.sub)
  t.deepEqual(await links(), ['ntpc attacker'])
})

test('by another county she shows that the account is hers; by somebody else’s she does not', async (t) => {
  const { world, rp, victim, come, links } = await buildScene(t)
  const { store } = world.house
  const other = await world.buildPerson({ account: 'chen@mail.edu.tw' })
  const link = (accountId: string, subject: string) =>
    store.identities.link({
      ...buildIdentity({ connector: 'kh', issuer: 'https://kh.example', subject }),
      id: subject,
      accountId,
      createdAt: 1,
      readAt: 1,
    })
  await link(other.sub, 'his')
  await link(victim.sub, 'hers')
  let comes = 'his'
  connectVouching(world, 'kh', () => ({ subject: comes }))
  const browser = openBrowser()
  const refused = await browser.submit(await come(browser), 'county-form', { connector: 'kh' })
  t.regex(refused.document.querySelector('#problem')?.text ?? '', /另一個帳號/)
  t.deepEqual(await links(), ['kh hers'])
  comes = 'hers'
  const back = await browser.submit(refused, 'county-form', { connector: 'kh' })
  t.is(await subOf(rp, back), victim.sub)
  t.deepEqual((await links()).sort(), ['kh hers', 'ntpc attacker'])
})

test('what shows that the account is hers is shown anew: a session somebody left at a county is not enough', async (t) => {
  const { world, come } = await buildScene(t)
  connectVouching(world, 'kh', () => ({ subject: 'left signed in' }))
  const kh = world.house.trips.connectors.get('kh')
  if (!kh) return t.fail()
  const asked: boolean[] = []
  const begin: Connector['begin'] = (trip) => {
    asked.push(trip.fresh)
    return kh.begin(trip)
  }
  connectUpstream(world, { ...kh, begin })
  const browser = openBrowser()
  await browser.submit(await come(browser), 'county-form', { connector: 'kh' })
  t.deepEqual(asked, [true])
})

test('a way in that is taken from the account at that very moment shows nothing', async (t) => {
  const { world, victim, come, links } = await buildScene(t)
  const { store } = world.house
  await store.identities.link({
    ...buildIdentity({ connector: 'kh', issuer: 'https://kh.example', subject: 'stolen' }),
    id: 'stolen',
    accountId: victim.sub,
    createdAt: 1,
    readAt: 1,
  })
  connectVouching(world, 'kh', () => ({ subject: 'stolen', session: { sid: 'there' } }))
  const { keep } = store.upstreamSessions
  store.upstreamSessions.keep = async (row) => {
    await store.identities.unlink('stolen', victim.sub)
    return keep(row)
  }
  const browser = openBrowser()
  const back = await browser.submit(await come(browser), 'county-form', { connector: 'kh' })
  t.is(back.status, 409)
  t.deepEqual(await links(), [])
})

test('what a page is asked to say that it has no words for it does not say', async (t) => {
  const { come } = await buildScene(t)
  const browser = openBrowser()
  const page = await come(browser)
  for (const said of ['constructor', '__proto__', 'toString', 'nothing']) {
    const shown = await browser.open(`${page.url.href}?said=${said}`)
    t.is(shown.status, 200, said)
    t.is(shown.document.querySelector('#problem'), null, said)
  }
})

test('an offer is good once, for ten minutes, in its own browser, for its own question and form', async (t) => {
  let moved = 0
  const { world, rp, victim, say, come, links } = await buildScene(t, {
    now: () => Date.now() + moved,
  })
  const browser = openBrowser()
  const first = await come(browser)
  const { account, password } = victim

  const stranger = openBrowser()
  await rp.begin(stranger)
  const elsewhere = await stranger.open(first.url.href)
  t.is(elsewhere.status, 400)
  t.notRegex(elsewhere.html, /mail\.edu\.tw/)

  // Another question of the same browser.
  const question = await rp.begin(browser, { state: 'other' })
  const there = await browser.open(`${question.url.origin}${question.url.pathname}/link`)
  t.is(there.status, 409)

  // Another site, and a form that is not ours.
  const target = `${world.issuer}${first.url.pathname}/sign-in`
  const offer = first.document.querySelector('[name=offer]')?.getAttribute('value') ?? ''
  const token = first.document.querySelector('[name=form_token]')?.getAttribute('value') ?? ''
  const send = (fields: Record<string, string>, site: string) =>
    browser.open(target, {
      method: 'POST',
      body: new URLSearchParams({ account, password, ...fields }),
      headers: { 'sec-fetch-site': site },
    })
  t.is((await send({ offer }, 'same-origin')).status, 403)
  t.is((await send({ offer, form_token: token }, 'cross-site')).status, 403)
  t.is((await browser.open(`${world.issuer}${first.url.pathname}/word`)).status, 405)

  // She came as somebody else since the page was shown: it counts for what she saw only.
  say(claims(account, { subject: 'second' }))
  const again = await come(browser)
  const uid = (page: Page) => page.url.pathname.split('/')[2]
  t.not(uid(again), uid(first))
  const stale = await send({ offer: 'another-mark', form_token: token }, 'same-origin')
  t.is(stale.url.search, '?said=changed')
  t.deepEqual(await links(), [])

  // Twice at once: one way or the other, not both.
  const both = await Promise.all([
    browser.submit(first, 'hers-form', { account, password }),
    browser.submit(first, 'alone-form'),
  ])
  t.is(both.filter((page) => arrivedAt(rp, page)).length, 1, both.map((one) => one.html).join())
  t.true((await links()).length <= 1)
  const before = await links()
  const replayed = await browser.submit(first, 'hers-form', { account, password })
  t.true(replayed.status >= 400)
  t.deepEqual(await links(), before)

  moved += 10 * 60 * 1000
  const late = await browser.submit(again, 'hers-form', { account, password })
  t.is(late.status, 409)
  t.regex(late.document.querySelector('#problem-title')?.text ?? '', /不能繼續/)
  t.deepEqual(await links(), before)
})

test('where both sides verified the address her word is enough, and only her word', async (t) => {
  const { world, rp, victim, say, come, links } = await buildScene(t)
  world.house.trips.linkingOf = () => ({ policy: 'verified-email', domain: 'mail.edu.tw' })
  const verified = { name: '本人', email: victim.account, emailVerified: true }
  say({ subject: 'hers', profile: verified })
  const browser = openBrowser()
  const page = await come(browser)
  t.true(isOffer(page))
  t.is(page.document.querySelector('#hers-form'), null, 'no password is asked for')
  t.deepEqual(await links(), [], 'never without her press')

  // The operator thought better of it before she pressed.
  world.house.trips.linkingOf = () => ({ policy: 'ask', domain: 'mail.edu.tw' })
  const over = await browser.submit(page, 'word-form')
  t.is(over.status, 409)
  t.deepEqual(await links(), [])

  world.house.trips.linkingOf = () => ({ policy: 'verified-email', domain: 'mail.edu.tw' })
  const back = await browser.submit(await browser.open(page.url.href), 'word-form')
  t.is(await subOf(rp, back), victim.sub)
  t.deepEqual(await links(), ['ntpc hers'])
  const { store } = world.house
  t.true((await store.outbox.list()).some(({ target }) => target === 'mail.edu.tw'))

  // What is not verified there is asked for in full.
  say({ subject: 'other', profile: { ...verified, emailVerified: false } })
  t.truthy((await come()).document.querySelector('#hers-form'))
  world.house.trips.linkingOf = () => ({ policy: 'never' })
  t.true(arrivedAt(rp, await come()))
})

test('guesses at that page are counted as at the sign-in page', async (t) => {
  const { victim, come } = await buildScene(t)
  const browser = openBrowser()
  let page = await come(browser)
  const { account } = victim
  for (let tries = 0; tries < 3 && page.status !== 429; tries++) {
    page = await browser.submit(page, 'hers-form', { account, password: 'a guess' })
  }
  const held = await browser.submit(page, 'hers-form', { account, password: 'a guess' })
  t.is(held.status, 429)
  t.truthy(held.headers.get('retry-after'))
})

test('a login that was somebody else’s is stopped on a page of its own, and its mark is never kept plain', async (t) => {
  const { world, rp, say, come } = await buildScene(t)
  const { store } = world.house
  const hers = {
    subject: 'reissued',
    profile: { name: '王老師' },
    fingerprint: 'her-guid-in-plain',
  }
  say(hers)
  t.true(arrivedAt(rp, await come()))
  const known = await store.identities.find('https://ntpc.example', 'reissued')
  t.truthy(known?.identity.fingerprint)
  t.notRegex(JSON.stringify(known), /guid-in-plain/)
  say({ ...hers, profile: { name: '陳同學' }, fingerprint: 'his-guid-in-plain' })
  const page = await come()
  t.is(page.status, 403)
  t.regex(page.document.querySelector('#problem-title')?.text ?? '', /沒有讓您登入/)
  t.notRegex(page.html, /王老師|陳同學/)
  t.truthy(page.document.querySelector('#next-back-to-app'))
  t.is((await store.accounts.find(known?.account.id ?? ''))?.profile.name?.value, '王老師')
  const warning = world.log.find((line) => line.includes('"identity.reused"'))
  t.true(warning?.includes('"level":40') || warning?.includes('"level":"warn"'), warning)
  t.notRegex(world.log.join('\n'), /guid-in-plain|王老師|陳同學/)
})

test('where people join, an account of her own is one she joins for, without that address', async (t) => {
  const { world, victim, say, come, links } = await buildScene(t, {
    enrolments: 'as configured',
    sandbox: true,
  })
  const browser = openBrowser()
  const page = await come(browser)
  t.true(isOffer(page))
  const joining = await browser.submit(page, 'alone-form')
  t.regex(joining.url.pathname, /^\/joining\//)
  t.deepEqual(await links(), [])
  t.is(await world.house.store.identities.find('https://ntpc.example', 'attacker'), undefined)

  // Who is known by her county's former word is a member: she does not join a second time.
  const { store } = world.house
  const former = { issuer: 'https://openid.example/', subject: 'https://openid.example/hers' }
  const known = { ...buildIdentity({ connector: 'ntpc-openid' }), ...former }
  await store.identities.link({
    ...known,
    id: 'hers',
    accountId: victim.sub,
    createdAt: 1,
    readAt: 1,
  })
  say({ subject: 'hers-now', former: [former] })
  const member = openBrowser()
  const asked = await beginAs(member, world, 'school')
  const refused = await member.submit(asked, 'joining-form', { connector: 'ntpc' })
  t.regex(refused.document.querySelector('#problem-title')?.text ?? '', /已經是會員/)
  t.deepEqual(await links(), ['ntpc-openid https://openid.example/hers'])
})
