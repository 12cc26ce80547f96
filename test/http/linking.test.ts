/** Linking and unlinking county accounts, with the sandbox's counties. */
import test from 'ava'
import { type Member, openMember, signInAgain, text } from '../helpers/account.ts'
import { openBrowser, type Page } from '../helpers/browser.ts'
import { beginAs } from '../helpers/joining.ts'
import { buildIdentity } from '../helpers/people.ts'
import { connectUpstream } from '../helpers/upstreams.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const path = '/account/identities'

/** From her page to the county's sign-in form. */
async function leave({ browser, open }: Member, county = 'ntpc'): Promise<Page> {
  return browser.submit(await open(path), 'link-form', { connector: county })
}

const atCounty = ({ browser }: Member, page: Page, account = 'ntpctest') =>
  browser.submit(page, 'county-login', { account, password: account })

const identitiesOf = ({ house: { store } }: World, { sub }: Member) =>
  store.identities.ofAccount(sub)

test('she links a county, signs in by it, and unlinks it', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const member = await openMember(world)
  const back = await atCounty(member, await leave(member))
  t.is(back.url.pathname + back.url.search, `${path}?done=linked`)
  t.true(back.html.includes('新北市'))
  t.deepEqual(
    (await identitiesOf(world, member)).map(({ connector }) => connector),
    ['ntpc'],
  )
  t.true(text(await member.open('/account'), '#affiliations').length > 30, 'her schools')

  const elsewhere = openBrowser()
  const asked = await elsewhere.open(`${world.issuer}/account`)
  const toCounty = await elsewhere.submit(asked, 'county-form', { connector: 'ntpc' })
  const inside = await elsewhere.submit(toCounty, 'county-login', {
    account: 'ntpctest',
    password: 'ntpctest',
  })
  t.true(text(inside, '#who').includes(member.account), 'the same account')

  const again = await atCounty(member, await leave(member))
  t.is(again.url.search, '?done=hers-already')
  const unlinked = await member.browser.submit(await member.open(path), 'unlink-form-0')
  t.is(unlinked.url.search, '?done=unlinked')
  t.deepEqual(await identitiesOf(world, member), [])
})

test('an identity that signs in to another account is refused in words, and stays there', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const county = openBrowser()
  const asked = await county.open(`${world.issuer}/account`)
  const toCounty = await county.submit(asked, 'county-form', { connector: 'ntpc' })
  await county.submit(toCounty, 'county-login', { account: 'ntpctest', password: 'ntpctest' })
  const member = await openMember(world)
  const page = await atCounty(member, await leave(member))
  t.is(page.status, 400)
  t.true(text(page, '#problem-title').includes('屬於另一個會員帳號'))
  t.is(page.document.querySelector('#next-back')?.getAttribute('href'), path)
  t.deepEqual(await identitiesOf(world, member), [])
})

test('a session somebody left at the county is not linked: the county says when it saw him', async (t) => {
  const world = await buildWorld(t)
  const { store } = world.house
  const at = Math.floor(Date.now() / 1000)
  let authTime = at - 3 * 60 * 60
  connectUpstream(world, {
    id: 'ntpc',
    origins: [],
    servers: [],
    probe: async () => {},
    begin: async (trip) => ({ url: `${trip.callbackUrl}?state=${trip.state}`, memo: {} }),
    complete: async () => buildIdentity({ authTime }),
  })
  const member = await openMember(world)
  const page = await leave(member)
  t.true(text(page, '#problem-title').includes('沒有再確認一次密碼'))
  t.deepEqual(await store.identities.ofAccount(member.sub), [])
  authTime = at
  t.is((await leave(member)).url.search, '?done=linked')
})

test('the answer of a trip links nothing in another session, another browser or twice', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const member = await openMember(world)
  // She leaves; at the same computer somebody else takes over before she is back.
  const page = await leave(member)
  await member.browser.submit(await member.open('/session/end'), 'sign-out-form', { logout: 'yes' })
  const other = await world.buildPerson({ account: 'chen@mail.edu.tw' })
  await signInAgain(world, member.browser, other)
  const late = await atCounty(member, page)
  t.is(late.status, 409)
  t.is(await world.house.store.identities.find('x', 'y'), undefined)
  t.deepEqual(await identitiesOf(world, member), [])
  t.deepEqual(await world.house.store.identities.ofAccount(other.sub), [])

  // A victim's browser is given the attacker's callback.
  const attacker = await openMember(world, { account: 'mallory@mail.edu.tw' })
  const trip = await leave(attacker)
  const done = await atCounty(attacker, trip)
  const callback = done.trail.find((url) => url.includes('/upstream/ntpc/callback')) ?? ''
  t.not(callback, '')
  const victim = await openMember(world, { account: 'victim@mail.edu.tw' })
  const forced = await victim.browser.open(callback)
  t.true(forced.status >= 400)
  t.deepEqual(await identitiesOf(world, victim), [])
  const replayed = await attacker.browser.open(callback)
  t.true(replayed.status >= 400)
  t.is((await identitiesOf(world, attacker)).length, 1)
})

test('a county that cannot be reached leaves everything as it was', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const member = await openMember(world)
  const none = await leave(member, '')
  t.is(none.status, 422)
  t.is(none.document.querySelector('#problem a')?.getAttribute('href'), '#connector')
  const back = await leave(member)
  const cancelled = await member.browser.open(
    `${world.issuer}/upstream/ntpc/callback?error=access_denied&state=${back.url.searchParams.get('state') ?? ''}`,
  )
  t.true(cancelled.status >= 400)
  t.deepEqual(await identitiesOf(world, member), [])
})

test('who closed her account has it back by her county too', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const member = await openMember(world)
  await atCounty(member, await leave(member))
  await member.browser.submit(await member.open('/account/close'), 'close-form', {
    phrase: member.account,
  })
  const browser = openBrowser()
  const asked = await browser.open(`${world.issuer}/account`)
  const toCounty = await browser.submit(asked, 'county-form', { connector: 'ntpc' })
  const barred = await browser.submit(toCounty, 'county-login', {
    account: 'ntpctest',
    password: 'ntpctest',
  })
  t.is(barred.status, 403)
  const back = await browser.submit(barred, 'next-reopen-form')
  t.is(back.url.pathname, '/account')
  t.is((await world.house.store.accounts.find(member.sub))?.status, 'active')
})

test('when a county fails on the way of a link or an application, nobody is told that an app waits', async (t) => {
  const world = await buildWorld(t, { sandbox: true, enrolments: 'as configured' })
  const member = await openMember(world)
  const atForm = await leave(member)
  const joining = openBrowser()
  const toJoin = await joining.submit(await beginAs(joining, world, 'school'), 'joining-form', {
    connector: 'ntpc',
  })
  await world.switchCounty('ntpc', 'down-token')
  const fields = { account: 'ntpctest', password: 'ntpctest' }
  const pages: [Page, RegExp][] = [
    [await atCounty(member, atForm), /沒有連結新的縣市帳號/],
    [await joining.submit(toJoin, 'county-login', fields), /您的申請/],
  ]
  await world.switchCounty('hlc', 'down')
  const other = openBrowser()
  const county = await beginAs(other, world, 'school')
  pages.push(
    [await leave(member, 'hlc'), /沒有連結新的縣市帳號/],
    [await other.submit(county, 'joining-form', { connector: 'hlc' }), /您的申請/],
  )
  for (const [page, kept] of pages) {
    t.is(page.status, 502)
    t.regex(text(page, '#problem-kept'), kept)
    t.notRegex(page.html, /還在等您/)
  }
})
