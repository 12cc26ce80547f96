/** Joining two accounts, as she does it: both ways to show that the other one is hers, and what becomes of it. */
import test from 'ava'
import { undoMerge } from '#admin/merges.ts'
import { type Member, openMember, signInAgain, text } from '../helpers/account.ts'
import { openBrowser, type Page } from '../helpers/browser.ts'
import { takeLetters } from '../helpers/letters.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const path = '/account/merge'
const hers = { account: 'chen@mail.edu.tw', name: '王大明' }
const countyLogin = { account: 'ntpctest', password: 'ntpctest' }

/** Somebody who joined by her county, in a browser of her own. */
async function openAtCounty(world: World) {
  const browser = openBrowser()
  const asked = await browser.open(`${world.issuer}/account`)
  const toCounty = await browser.submit(asked, 'county-form', { connector: 'ntpc' })
  await browser.submit(toCounty, 'county-login', countyLogin)
}

/** Whom the county's last sign-in was. */
async function whoCame({ house: { store } }: World) {
  const events = await store.auditReads.list({ limit: 50, action: 'session.sign-in' })
  return events.find(({ details }) => details.connector === 'ntpc')?.actor ?? ''
}

const sideOf = (page: Page, side: string) => text(page, `#side-${side}`)

async function parts(world: World, { sub }: Pick<Member, 'sub'>) {
  const { store } = world.house
  const [names, identities, account] = await Promise.all([
    store.identifiers.ofAccount(sub),
    store.identities.ofAccount(sub),
    store.accounts.find(sub),
  ])
  return { names: names.length, identities: identities.length, status: account?.status }
}

test('by the other account’s password: she reads what happens, shows it is hers, sees both, and joins them', async (t) => {
  const world = await buildWorld(t)
  const rp = await world.buildApp({ firstParty: false })
  const password = 'her other phrase 9'
  const other = { ...(await world.buildPerson(hers)), password }
  const { store, passwords } = world.house
  const known = await store.credentials.findPassword(other.sub)
  await store.credentials.setSecret(known?.id ?? '', await passwords.hash(password), 1)
  const elsewhere = openBrowser()
  const signedIn = await elsewhere.submit(await rp.begin(elsewhere), 'local-form', other)
  await elsewhere.submit(signedIn, 'consent-form', { decision: 'allow' })
  const member = await openMember(world)
  const there = openBrowser()
  await signInAgain(world, there, member)

  const identities = await member.open('/account/identities')
  const href = identities.document.querySelector('#merge-link')?.getAttribute('href') ?? ''
  const page = await member.open(href)
  t.is(page.status, 200)
  t.true(text(page, 'main').includes('留下的是您現在登入的這個帳號'))

  const wrong = await member.browser.submit(page, 'merge-password-form', {
    account: other.account,
    password: 'not it',
  })
  t.is(wrong.status, 422)
  t.is(wrong.document.querySelector('#problem a')?.getAttribute('href'), '#account')
  t.is(wrong.document.querySelector('#account')?.getAttribute('value'), other.account)
  t.false(wrong.html.includes('not it'))
  const own = await member.browser.submit(wrong, 'merge-password-form', {
    account: member.account,
    password: member.password,
  })
  t.true(text(own, '#account-problem').includes('您現在登入的帳號'))

  const confirm = await member.browser.submit(own, 'merge-password-form', other)
  t.is(confirm.url.pathname, `${path}/confirm`)
  t.regex(sideOf(confirm, 'merged'), /王•明.*c•••@mail\.edu\.tw.*沒有/)
  t.regex(sideOf(confirm, 'kept'), /王•明.*w•••@mail\.edu\.tw/)
  t.false(confirm.html.includes(other.account))
  t.is(text(confirm, '#merge-apps'), '課程平台')
  t.true(confirm.html.includes(other.sub))
  const before = (await member.browser.jar.getCookieString(world.issuer)).split('; ').sort()

  const done = await member.browser.submit(confirm, 'merge-form')
  t.is(done.url.pathname + done.url.search, '/account/identities?done=merged')
  t.true(text(done, '#notice').includes('合併成這一個'))
  const after = (await member.browser.jar.getCookieString(world.issuer)).split('; ').sort()
  t.notDeepEqual(after, before, 'her session has another id')
  t.deepEqual(await parts(world, member), { names: 2, identities: 0, status: 'active' })
  t.deepEqual(await parts(world, other), { names: 0, identities: 0, status: 'suspended' })
  t.is((await takeLetters(world)).length, 2)

  t.true(
    text(await there.open(`${world.issuer}/account`), 'main').includes('會員帳號'),
    'signed out',
  )
  const asked = await rp.begin(elsewhere, { prompt: 'none' })
  t.is(asked.url.searchParams.get('error'), 'login_required', 'the other account is signed out too')
  const late = openBrowser()
  const refused = await signInAgain(world, late, other)
  t.is(refused.status, 422, 'its password is no more')
  const inside = await signInAgain(world, late, { ...other, password: member.password })
  t.true(text(inside, '#who').includes(member.account), 'its name opens the one that stayed')

  const history = await member.open('/account/history')
  t.true(text(history, '#merges').includes('另一個會員帳號併入了這個帳號'))
  const again = await member.browser.submit(confirm, 'merge-form')
  t.is(again.status, 409)
  t.is(again.document.querySelector('#next-back')?.getAttribute('href'), path)
})

test('the other account’s refresh token is dead, and the county signs in to the account that stayed until it is undone', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const rp = await world.buildApp()
  const atApp = openBrowser()
  const scope = 'openid offline_access'
  const toCounty = await rp.begin(atApp, { upstream: 'ntpc', scope, prompt: 'consent' })
  const asked = await atApp.submit(toCounty, 'county-login', countyLogin)
  const back = await atApp.submit(asked, 'consent-form', { decision: 'allow' })
  const { body } = await rp.redeem(back.url)
  const sub = (await rp.verify(body.id_token)).payload.sub ?? ''
  const refresh = () =>
    rp.token({ grant_type: 'refresh_token', refresh_token: String(body.refresh_token) })

  const member = await openMember(world)
  const { upstreamHealth } = world.house
  for (let i = 0; i < 3; i++) upstreamHealth.hear('kh', { kind: 'failed', failure: 'slow' })
  const page = await member.open(path)
  t.regex(text(page, '#connector option[value=kh]'), /高雄市（目前無法連線/)
  const none = await member.browser.submit(page, 'merge-county-form', { connector: '' })
  t.is(none.status, 422)
  const leaving = await member.browser.submit(none, 'merge-county-form', { connector: 'ntpc' })
  const confirm = await member.browser.submit(leaving, 'county-login', countyLogin)
  t.is(confirm.url.pathname, `${path}/confirm`)
  t.true(sideOf(confirm, 'merged').includes('新北市'))
  const joined = await member.browser.submit(confirm, 'merge-form')
  t.is(joined.url.search, '?done=merged')
  t.is((await refresh()).body.error, 'invalid_grant')

  const subAt = async () => {
    const browser = openBrowser()
    const county = await rp.begin(browser, { upstream: 'ntpc' })
    const arrived = await browser.submit(county, 'county-login', countyLogin)
    const { body } = await rp.redeem(arrived.url)
    return (await rp.verify(body.id_token)).payload.sub
  }
  t.is(await subAt(), member.sub)
  const hers = await member.browser.submit(await member.open(path), 'merge-county-form', {
    connector: 'ntpc',
  })
  const same = await member.browser.submit(hers, 'county-login', countyLogin)
  t.is(same.url.pathname + same.url.search, `${path}?done=merge-same`)

  const { store, now, writeLetter } = world.house
  const [merge] = await store.accountMerges.list({ accountId: sub, limit: 1 })
  const parting = { id: merge?.id ?? '', reason: 'she asked', force: false }
  const ports = { now, writeLetter, numberKey: Buffer.alloc(32), actor: 'operator:test' }
  t.like(await undoMerge(store, parting, ports), { kind: 'undone' })
  t.is(await subAt(), sub)
  t.is((await member.open('/account')).url.pathname.startsWith('/interaction'), true, 'signed out')
})

test('a link that ends at another account of hers offers to join them', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  await openAtCounty(world)
  const other = { sub: await whoCame(world) }
  const member = await openMember(world)
  const leaving = await member.browser.submit(
    await member.open('/account/identities'),
    'link-form',
    {
      connector: 'ntpc',
    },
  )
  const taken = await member.browser.submit(leaving, 'county-login', countyLogin)
  t.is(taken.status, 400)
  t.true(text(taken, '#problem-title').includes('屬於另一個會員帳號'))
  const href = taken.document.querySelector('#next-merge')?.getAttribute('href') ?? ''
  t.is(href, `${path}/confirm`)
  // The page she left to think about it says nothing anywhere else.
  const stranger = await openMember(world, { account: 'mallory@mail.edu.tw' })
  t.is((await stranger.open(href)).url.search, '?done=merge-over')
  const confirm = await member.open(href)
  const stolen = confirm.document.querySelector('input[name=merge]')?.getAttribute('value') ?? ''
  t.not(stolen, '')
  const shown = await stranger.open(path)
  const fields = Object.fromEntries(
    ['form_token', 'member'].map((name) => [
      name,
      shown.document.querySelector(`input[name=${name}]`)?.getAttribute('value') ?? '',
    ]),
  )
  const tried = await stranger.browser.request(`${world.issuer}${path}/confirm`, {
    method: 'POST',
    body: new URLSearchParams({ ...fields, merge: stolen }),
  })
  t.is(tried.status, 409)
  t.deepEqual(await parts(world, other), { names: 0, identities: 1, status: 'active' })
  await member.browser.submit(confirm, 'merge-form')
  t.deepEqual(await parts(world, member), { names: 1, identities: 1, status: 'active' })
  t.deepEqual(await parts(world, other), { names: 0, identities: 0, status: 'suspended' })
})

test('her word counts only while her sign-in is of just now; what she showed stays good meanwhile', async (t) => {
  const world = await buildWorld(t)
  const other = await world.buildPerson({ account: 'chen@mail.edu.tw' })
  const member = await openMember(world)
  const { store } = world.house
  const page = await member.browser.submit(await member.open(path), 'merge-password-form', other)
  const now = Math.floor(Date.now() / 1000)
  for (const { id, payload } of await store.payloads.sessionsOf(member.sub, now)) {
    const { uid, loginTs } = payload as { uid: string; loginTs: number }
    const older = { ...payload, loginTs: loginTs - 11 * 60 }
    const row = { id, model: 'Session', uid, accountId: member.sub, expiresAt: now + 1800 }
    await store.payloads.save([{ ...row, payload: older }])
  }
  const asked = await member.browser.submit(page, 'merge-form')
  t.truthy(asked.document.querySelector('#local-form'))
  t.deepEqual(await parts(world, other), { names: 1, identities: 0, status: 'active' })
  const { account, password } = member
  const back = await member.browser.submit(asked, 'local-form', { account, password })
  t.is(back.url.pathname, `${path}/confirm`)
  await member.browser.submit(back, 'merge-form')
  t.deepEqual(await parts(world, other), { names: 0, identities: 0, status: 'suspended' })
})
