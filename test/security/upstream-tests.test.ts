/** An upstream that is switched off lets nobody in who is on her way; a test sign-in is no sign-in, and nobody else’s. */
import test from 'ava'
import type { Connector, UpstreamIdentity } from '#federation/connector.ts'
import { openMember, signInAgain, text } from '../helpers/account.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { beginAs, proveAt, schoolAnswers, stepOf } from '../helpers/joining.ts'
import { buildIdentity } from '../helpers/people.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { openStaff, type Staff } from '../helpers/staff.ts'
import { connectUpstream } from '../helpers/upstreams.ts'
import { buildWorld, type World } from '../helpers/world.ts'

/** 新北市 that sends nobody back by itself: the test carries each answer to where it wants it. */
function connect(world: World, said: () => Partial<UpstreamIdentity> = () => ({}), over = {}) {
  const answers: string[] = []
  const connector: Connector = {
    id: 'ntpc',
    origins: [],
    servers: [],
    probe: async () => {},
    async begin({ callbackUrl, state }) {
      answers.push(`${callbackUrl}?state=${state}&code=x`)
      return { url: `${world.issuer}/status`, memo: { nonce: state } }
    },
    // As every protocol of ours does: an answer fits the trip it was asked on, and no other.
    complete: async ({ state }, memo) => {
      if (memo.nonce !== state) throw new Error('another trip’s memo')
      return buildIdentity(said())
    },
    ...over,
  }
  connectUpstream(world, connector)
  return { last: () => answers.at(-1) ?? '' }
}

const off = ({ house }: World, id = 'ntpc') =>
  house.store.upstreamSwitches
    .switchOff({ connector: id, offAt: 1, switchedBy: 'operator:test', reason: 'its keys leaked' })
    .then(() => house.upstreamHealth.look())

const leaveToSignIn = async (rp: RelyingParty, browser: Browser) =>
  browser.submit(await rp.begin(browser), 'county-form', { connector: 'ntpc' })
const leaveToTest = async (staff: Staff) =>
  staff.browser.submit(await staff.open('/admin/upstreams/ntpc/test'), 'test')
const result = (page: Page) => page.document.querySelector('#result')
const hasLinks = async ({ house }: World) =>
  (await house.store.identities.find('https://ntpc.sso.edu.tw', 'teacher1')) !== undefined

test('who is on her way when the county is switched off is refused in words, whatever she left for', async (t) => {
  const world = await buildWorld(t)
  const { last } = connect(world)
  const rp = await world.buildApp()
  const known = openBrowser()
  await leaveToSignIn(rp, known)
  t.true(arrivedAt(rp, await known.open(last())), 'while it is on')
  const identity = await world.house.store.identities.find(
    buildIdentity().issuer,
    buildIdentity().subject,
  )
  t.truthy(identity)

  const browser = openBrowser()
  await leaveToSignIn(rp, browser)
  const signingIn = last()
  const member = await openMember(world)
  await member.browser.submit(await member.open('/account/identities'), 'link-form', {
    connector: 'ntpc',
  })
  const linking = last()
  await member.browser.submit(await member.open('/account/merge'), 'merge-county-form', {
    connector: 'ntpc',
  })
  const merging = last()
  await off(world)
  const refused: [Browser, string][] = [
    [browser, signingIn],
    [member.browser, linking],
    [member.browser, merging],
  ]
  for (const [who, answer] of refused) {
    const page = await who.open(answer)
    t.is(page.status, 400)
    t.is(text(page, '#problem-title'), '新北市暫停開放')
    t.false(page.html.includes('its keys leaked'))
    t.not((await who.open(answer)).status, 200, 'nor a second time')
  }
  t.deepEqual(await world.house.store.identities.ofAccount(member.sub), [])
  const after = await world.house.store.identities.find(
    buildIdentity().issuer,
    buildIdentity().subject,
  )
  t.is(after?.account.id, identity?.account.id, 'what is linked stays linked')

  // Nobody leaves any more, by the selector, by the app's own hint or by a form of her own making.
  const direct = await rp.begin(openBrowser(), { upstream: 'ntpc' })
  t.truthy(direct.document.querySelector('#county-form'))
  const forged = await browser.submit(await rp.begin(browser), 'county-form', { connector: 'ntpc' })
  t.true(forged.html.includes('暫停開放'))
  const link = await member.browser.submit(await member.open('/account/identities'), 'link-form', {
    connector: 'ntpc',
  })
  t.is(text(link, '#problem-title'), '新北市暫停開放')

  await world.house.store.upstreamSwitches.switchOn('ntpc')
  await world.house.upstreamHealth.look()
  const again = openBrowser()
  await leaveToSignIn(rp, again)
  t.true(arrivedAt(rp, await again.open(last())), 'and in again')
})

test('nobody joins by a county that is switched off, nor goes on with its word', async (t) => {
  const world = await buildWorld(t, { sandbox: true, enrolments: 'as configured' })
  const browser = openBrowser()
  const county = await beginAs(browser, world, 'school')
  const form = await proveAt(browser, county, 'ntpc', 'ntpctest')
  const late = openBrowser()
  const choosing = await beginAs(late, world, 'school')
  const onHerWay = await late.submit(choosing, 'joining-form', { connector: 'ntpc' })
  t.truthy(onHerWay.document.querySelector('#county-login'))
  await off(world)
  const on = await browser.submit(form, 'joining-form', schoolAnswers)
  t.is(on.status, 409)
  t.is(text(on, '#problem-title'), '新北市暫停開放')
  t.true(text(on, '#problem-kept').includes('申請'))
  const back = await late.submit(onHerWay, 'county-login', {
    account: 'ntpctest',
    password: 'ntpctest',
  })
  t.is(text(back, '#problem-title'), '新北市暫停開放')
  const chosen = await late.submit(choosing, 'joining-form', { connector: 'ntpc' })
  t.is(chosen.url.origin, world.issuer)
  t.is(stepOf(chosen), stepOf(choosing), 'she is asked again')
  await world.house.store.upstreamSwitches.switchOn('ntpc')
  await world.house.upstreamHealth.look()
  const again = await browser.submit(form, 'joining-form', schoolAnswers)
  t.is(again.status, 200, 'she goes on where she was')
  t.not(stepOf(again), stepOf(form))
})

test('a link offer of a county that is switched off meanwhile is over', async (t) => {
  const world = await buildWorld(t)
  const person = await world.buildPerson()
  const email = person.account
  const { last } = connect(world, () => ({ profile: { name: '王小明', email } }))
  const rp = await world.buildApp()
  const browser = openBrowser()
  await leaveToSignIn(rp, browser)
  const offer = await browser.open(last())
  t.regex(offer.url.pathname, /\/link$/, offer.html)
  await off(world)
  const { account, password } = person
  const answered = await browser.submit(offer, 'hers-form', { account, password })
  t.is(answered.status, 409)
  t.deepEqual(await world.house.store.identities.ofAccount(person.sub), [])
  const alone = await browser.submit(offer, 'alone-form')
  t.is(alone.status, 409)
  t.false(await hasLinks(world))
})

test('a county that is switched off while it still answers, or before two accounts are made one, vouches for nothing', async (t) => {
  const world = await buildWorld(t)
  let meanwhile = async () => {}
  const complete: Connector['complete'] = async () => {
    await meanwhile()
    return buildIdentity()
  }
  const { last } = connect(world, undefined, { complete })
  const rp = await world.buildApp()
  const browser = openBrowser()
  await leaveToSignIn(rp, browser)
  t.true(arrivedAt(rp, await browser.open(last())), 'there is an account of hers')

  const member = await openMember(world, { account: 'other@mail.edu.tw' })
  const proving = await member.open('/account/merge')
  await member.browser.submit(proving, 'merge-county-form', { connector: 'ntpc' })
  const confirm = await member.browser.open(last())
  t.is(confirm.url.pathname, '/account/merge/confirm', confirm.html)
  const late = openBrowser()
  await leaveToSignIn(rp, late)
  meanwhile = () => off(world)
  const back = await late.open(last())
  t.is(text(back, '#problem-title'), '新北市暫停開放')

  const joined = await member.browser.submit(confirm, 'merge-form')
  t.is(joined.status, 409, joined.html)
  t.deepEqual(await world.house.store.identities.ofAccount(member.sub), [])
})

test('the answer of a test signs nobody in and links nothing, in whichever browser it is brought', async (t) => {
  const world = await buildWorld(t)
  const { last } = connect(world)
  const rp = await world.buildApp()
  const staff = await openStaff(world)
  const nobody = async (why: string) => {
    t.false(await hasLinks(world), why)
    t.deepEqual(await world.house.store.identities.ofAccount(staff.sub), [], why)
  }

  // Somebody else's browser, with a sign-in of its own under way.
  const thief = openBrowser()
  await leaveToSignIn(rp, thief)
  await leaveToTest(staff)
  const stolen = await thief.open(last())
  t.is(stolen.status, 400)
  t.falsy(result(stolen))
  await nobody('another browser')
  // … of another member of the staff, too, who may see every test of her own.
  const colleague = await openStaff(world)
  t.is((await colleague.browser.open(last())).status, 400)
  t.falsy(result(await colleague.open('/admin/upstreams/ntpc/test')))

  // Her own browser, with a sign-in under way and one for linking: the answer is for its own errand.
  await rp.begin(staff.browser, { prompt: 'login' })
  await staff.browser.submit(await staff.open('/account/identities'), 'link-form', {
    connector: 'ntpc',
  })
  await leaveToTest(staff)
  const own = await staff.browser.open(last())
  t.truthy(result(own))
  await nobody('her own browser')
  t.is((await staff.browser.open(last())).status, 400, 'once')

  // Another account signs in at her computer before the answer comes.
  await leaveToTest(staff)
  const waiting = last()
  const other = await openStaff(world)
  await staff.browser.jar.removeAllCookies()
  await signInAgain(world, staff.browser, other)
  t.not((await staff.browser.open(waiting)).status, 200, 'another device cookie')
  await nobody('after a change of hands')
})

test('what a test brought is thrown away where another account is signed in by then, and waits for nobody', async (t) => {
  const world = await buildWorld(t)
  const { last } = connect(world)
  const staff = await openStaff(world)
  await leaveToTest(staff)
  const { store } = world.house
  await store.payloads
    .sessionsOf(staff.sub, 0)
    .then((all) => Promise.all(all.map(({ id }) => store.payloads.destroy(id))))
  const page = await staff.browser.open(last())
  t.is(page.status, 400)
  t.is(text(page, '#problem-title'), '這次測試登入已經結束')
  await signInAgain(world, staff.browser, staff)
  const trail = await store.auditReads.list({ action: 'upstream.test', limit: 5 })
  t.deepEqual(trail, [])
})

test('a sign-in’s answer shows staff nothing, and another upstream’s callback takes none', async (t) => {
  const world = await buildWorld(t)
  const { last } = connect(world)
  const staff = await openStaff(world)
  const rp = await world.buildApp()
  await leaveToSignIn(rp, staff.browser).catch(() => undefined)
  const page = await staff.open('/admin/upstreams/ntpc/test')
  t.falsy(result(page))
  await leaveToTest(staff)
  const elsewhere = last().replace('/upstream/ntpc/', '/upstream/kh/')
  t.is((await staff.browser.open(elsewhere)).status, 400)
  t.falsy(result(await staff.open('/admin/upstreams/ntpc/test')))
  t.truthy(result(await staff.browser.open(last())), 'its own does')

  // Without the role nobody begins one, nor without the form.
  const reader = await openStaff(world, [{ role: 'auditor', reach: '' }])
  t.is((await reader.open('/admin/upstreams/ntpc/test')).status, 403)
  const bare = await staff.browser.request(`${world.issuer}/admin/upstreams/ntpc/test`, {
    method: 'POST',
    body: new URLSearchParams(),
  })
  t.is(bare.status, 403)
})

test('claims are words to the page that shows them', async (t) => {
  const world = await buildWorld(t)
  const evil = '"></pre><script>alert(1)</script><img src=x onerror=alert(1)>\u202e'
  const { last } = connect(world, () => ({
    subject: `s${evil}`.replace('\u202e', ''),
    profile: { name: evil, email: evil, gender: evil },
    affiliations: [
      { schoolCode: evil, schoolName: evil, role: 'teacher', titles: [evil], classes: [] },
    ],
    unread: [evil],
    openid2Ids: [evil],
    acr: evil,
    raw: { [evil]: evil, deep: [{ [evil]: evil }] },
  }))
  const staff = await openStaff(world)
  await leaveToTest(staff)
  const page = await staff.browser.open(last())
  t.truthy(result(page), page.html)
  t.notRegex(page.html, /<script>|<img src=x|"><\/pre>|\u202e/)
  t.is(page.document.querySelectorAll('script').length, 0)
  t.regex(page.headers.get('content-security-policy') ?? '', /script-src 'self'/)
  t.true(text(page, '#raw').includes('alert(1)'))
  t.notRegex(world.log.join(''), /onerror/)
})
