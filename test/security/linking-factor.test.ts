/** An account with a second factor, or a role, is linked at the offer only when that factor was shown as well. */
import test from 'ava'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { openMember, text } from '../helpers/account.ts'
import { openBrowser, type Page } from '../helpers/browser.ts'
import { openClock } from '../helpers/knocking.ts'
import { buildIdentity } from '../helpers/people.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { enrolApp } from '../helpers/second-factor.ts'
import { openSharedWorld } from '../helpers/shared-world.ts'
import { codeOf, nextCode } from '../helpers/staff.ts'
import { connectVouching } from '../helpers/upstreams.ts'
import type { World } from '../helpers/world.ts'

let world: World
let app: RelyingParty
const clock = openClock()
/** What 新北市 says of who comes from there. */
let said: Partial<UpstreamIdentity> = {}

test.before(async () => {
  world = await openSharedWorld({ now: clock.now })
  app = await world.buildApp()
  connectVouching(world, 'ntpc', () => said)
})

let count = 0
/** A member, whose address somebody brings who comes from 新北市. */
async function brought(verified = false) {
  const subject = `one${++count}`
  const member = await openMember(world, { account: `${subject}@mail.edu.tw`, name: '林老師' })
  said = { subject, profile: { name: '某人', email: member.account, emailVerified: verified } }
  const { account, password, sub } = member
  return { ...member, subject, typed: { account, password }, links: () => linksOf(sub) }
}

async function enrolled() {
  const member = await brought()
  return { ...member, ...(await enrolApp(world, member.browser)) }
}

const linksOf = async (sub: string) =>
  (await world.house.store.identities.ofAccount(sub)).map((one) => one.subject)

const come = (browser = openBrowser(), more: Record<string, string> = {}) =>
  app.begin(browser, { upstream: 'ntpc', ...more })

const isOffer = (page: Page) => /^\/interaction\/[\w-]+\/link$/.test(page.url.pathname)
const isFactor = (page: Page) =>
  /^\/interaction\/[\w-]+\/link\/second-factor$/.test(page.url.pathname) &&
  page.document.querySelector('body')?.id === 'page-second-factor'

const trail = async (target: string) =>
  (await world.house.store.auditReads.list({ limit: 20, target }))
    .filter(({ action }) => action === 'identity.link')
    .map(({ outcome, details }) => `${outcome} ${JSON.stringify(details)}`)
    .reverse()

const tokensOf = async (back: Page) => {
  if (!arrivedAt(app, back)) throw new Error(`${back.status} ${back.url.href}\n${back.html}`)
  return (await app.verify((await app.redeem(back.url)).body.id_token)).payload
}

test.serial(
  'a password alone links nothing; with the factor it does, and both count',
  async (t) => {
    const her = await enrolled()
    const browser = openBrowser()
    const offer = await come(browser)
    t.true(isOffer(offer))
    const asked = await browser.submit(offer, 'hers-form', her.typed)
    t.true(isFactor(asked), asked.url.href)
    t.deepEqual(await her.links(), [])
    t.regex(text(asked, 'main'), /新北市/)
    t.notRegex(asked.html, /林老師/, 'of the account she is told what her county said')
    const inside = await browser.open(`${world.issuer}/account`)
    t.not(inside.url.pathname, '/account', 'nobody is signed in by half of it')

    const wrong = await browser.submit(asked, 'code-form', { code: '000000' })
    t.is(wrong.status, 422)
    t.truthy(wrong.document.querySelector('#code[aria-invalid=true]'))
    t.deepEqual(await her.links(), [])

    const code = nextCode(clock, her.secret)
    const back = await browser.submit(wrong, 'code-form', { code })
    const { sub, acr, amr } = await tokensOf(back)
    t.is(sub, her.sub)
    t.is(acr, world.house.config.site.acr.two_factor)
    t.deepEqual(amr, ['pwd', 'otp', 'mfa'])
    t.deepEqual(await her.links(), [her.subject])
    t.deepEqual(await trail(her.sub), [
      'offered {"connector":"ntpc","proof":"sign-in"}',
      'second-factor {"connector":"ntpc","how":"offer"}',
      'ok {"connector":"ntpc","how":"offer","factor":"totp"}',
    ])

    // Sent once more, or gone back to.
    const again = await browser.submit(asked, 'code-form', { code: nextCode(clock, her.secret) })
    t.true(again.status >= 400)
    t.is((await browser.open(asked.url.href)).status >= 400, true)
    t.deepEqual(await her.links(), [her.subject])
  },
)

test.serial('nothing else at the offer leads around the factor', async (t) => {
  const her = await enrolled()
  const browser = openBrowser()
  const offer = await come(browser)
  const at = `${world.issuer}${offer.url.pathname}`
  const field = (name: string) =>
    offer.document.querySelector(`[name=${name}]`)?.getAttribute('value') ?? ''
  const send = (action: string, fields: Record<string, string>, who = browser) =>
    who.open(`${at}/${action}`, {
      method: 'POST',
      body: new URLSearchParams({
        form_token: field('form_token'),
        offer: field('offer'),
        ...fields,
      }),
      headers: { 'sec-fetch-site': 'same-origin' },
    })
  // The step before was not done: a code alone is no answer, right or not.
  t.true(isOffer(await browser.open(`${at}/second-factor`)))
  t.true(isOffer(await send('second-factor', { way: 'totp', code: nextCode(clock, her.secret) })))
  t.deepEqual(await her.links(), [])

  const asked = await browser.submit(offer, 'hers-form', her.typed)
  t.true(isFactor(asked))
  // Another browser, and another question of this one.
  const stranger = openBrowser()
  await app.begin(stranger)
  t.is((await stranger.open(asked.url.href)).status, 400)
  const question = await app.begin(browser, { state: 'other' })
  const there = await browser.open(`${question.url.href.split('?')[0]}/link/second-factor`)
  t.is(there.status, 409)
  // Another's code, and nothing at all.
  const other = await enrolled()
  const tries: Record<string, string>[] = [
    { way: 'totp', code: nextCode(clock, other.secret) },
    { way: 'totp', code: '' },
    { way: 'recovery-code', code: other.codes[0] ?? '' },
    { way: 'passkey', response: '{}' },
  ]
  for (const fields of tries) t.is((await send('second-factor', fields)).status, 422)
  t.deepEqual(await her.links(), [])
  t.deepEqual(await other.links(), [])

  // The password was changed since: what it showed holds no more.
  const { store, passwords } = world.house
  const credential = await store.credentials.findPassword(her.sub)
  await store.credentials.setSecret(credential?.id ?? '', await passwords.hash('another one'), 1)
  const late = await send('second-factor', { way: 'totp', code: nextCode(clock, her.secret) })
  t.is(late.status, 409)
  t.deepEqual(await her.links(), [])
  const account = await browser.open(`${world.issuer}/account`)
  t.not(account.url.pathname, '/account')
})

test.serial('the page before is still good, and what she decides there is done', async (t) => {
  const her = await enrolled()
  const browser = openBrowser()
  const offer = await come(browser)
  const asked = await browser.submit(offer, 'hers-form', her.typed)
  const href = asked.document.querySelector('#back-to-offer')?.getAttribute('href') ?? ''
  const before = await browser.open(`${world.issuer}${href}`)
  t.true(isOffer(before))
  t.is(before.document.querySelector('#problem'), null)
  // By the back button: the same form once more, twice at once.
  const both = await Promise.all([1, 2].map(() => browser.submit(offer, 'hers-form', her.typed)))
  t.true(both.every(isFactor), both.map(({ url }) => url.href).join())
  const alone = await browser.submit(offer, 'alone-form')
  t.not((await tokensOf(alone)).sub, her.sub)
  const over = await browser.submit(asked, 'code-form', { code: nextCode(clock, her.secret) })
  t.true(over.status >= 400)
  t.deepEqual(await her.links(), [])
})

test.serial('a code on paper does, once; guesses are counted as elsewhere', async (t) => {
  const her = await enrolled()
  const [paper = ''] = her.codes
  const browser = openBrowser()
  const first = await browser.submit(await come(browser), 'hers-form', her.typed)
  let page = first
  for (let tries = 0; tries < 5; tries++) {
    page = await browser.submit(page, 'code-form', { code: '000000' })
    t.is(page.status, 422)
    clock.pass(5)
  }
  const held = await browser.submit(page, 'recovery-form', { code: paper })
  t.is(held.status, 429)
  // At the sign-in page the same ones are counted.
  const elsewhere = await her.browser.submit(
    await app.begin(her.browser, { prompt: 'second_factor' }),
    'code-form',
    { code: codeOf(her.secret, { at: clock.now() }) },
  )
  t.is(elsewhere.status, 429)
  t.deepEqual(await her.links(), [])
  clock.pass(15 * 60)
  t.is((await browser.submit(page, 'recovery-form', { code: paper })).status, 409, 'ten minutes')

  const anew = openBrowser()
  const asked = await anew.submit(await come(anew), 'hers-form', her.typed)
  const back = await anew.submit(asked, 'recovery-form', { code: paper })
  t.is((await tokensOf(back)).sub, her.sub)
  t.deepEqual(await her.links(), [her.subject])
  t.is((await world.house.store.recoveryCodes.standing(her.sub)).left, 9)
})

test.serial('of two codes sent at once one links it', async (t) => {
  const her = await enrolled()
  const browser = openBrowser()
  const asked = await browser.submit(await come(browser), 'hers-form', her.typed)
  const code = nextCode(clock, her.secret)
  const sent = await Promise.all([1, 2].map(() => browser.submit(asked, 'code-form', { code })))
  t.is(sent.filter((page) => arrivedAt(app, page)).length, 1)
  t.deepEqual(await her.links(), [her.subject])
})

test.serial('by another county she shows her factor all the same', async (t) => {
  const her = await enrolled()
  await world.house.store.identities.link({
    ...buildIdentity({ connector: 'kh', issuer: 'https://kh.example', subject: 'hers' }),
    id: 'at kh',
    accountId: her.sub,
    createdAt: 1,
    readAt: 1,
  })
  connectVouching(world, 'kh', () => ({ subject: 'hers' }))
  const browser = openBrowser()
  const asked = await browser.submit(await come(browser), 'county-form', { connector: 'kh' })
  t.true(isFactor(asked), asked.url.href)
  t.deepEqual(await her.links(), ['hers'])
  const back = await browser.submit(asked, 'code-form', { code: nextCode(clock, her.secret) })
  const { sub, amr } = await tokensOf(back)
  t.is(sub, her.sub)
  t.deepEqual(amr, ['fed', 'otp', 'mfa'])
  t.deepEqual((await her.links()).sort(), ['hers', her.subject])

  // Taken from the account while she looked for her phone.
  said = { ...said, subject: 'second' }
  const next = openBrowser()
  const once = await next.submit(await come(next), 'county-form', { connector: 'kh' })
  await world.house.store.identities.unlink('at kh', her.sub)
  const late = await next.submit(once, 'code-form', { code: nextCode(clock, her.secret) })
  t.is(late.status, 409)
  t.deepEqual(await her.links(), [her.subject])
})

test.serial('where her word is enough, it is not for an account with a factor', async (t) => {
  const before = world.house.trips.linkingOf
  world.house.trips.linkingOf = () => ({ policy: 'verified-email', domain: 'mail.edu.tw' })
  t.teardown(() => {
    world.house.trips.linkingOf = before
  })
  const her = await brought(true)
  const browser = openBrowser()
  const word = await come(browser)
  t.truthy(word.document.querySelector('#word-form'))
  // She gets one while the page is open.
  const { secret } = await enrolApp(world, her.browser)
  const pressed = await browser.submit(word, 'word-form')
  t.is(pressed.status, 409)
  t.deepEqual(await her.links(), [])
  const anew = openBrowser()
  const offer = await come(anew)
  t.falsy(offer.document.querySelector('#word-form'))
  const asked = await anew.submit(offer, 'hers-form', her.typed)
  t.true(isFactor(asked))
  t.is(
    (await tokensOf(await anew.submit(asked, 'code-form', { code: nextCode(clock, secret) }))).sub,
    her.sub,
  )
  t.deepEqual(await her.links(), [her.subject])
})

test.serial('a role without a factor is not linked here, and she is told how', async (t) => {
  const her = await brought()
  const row = { holder: her.sub, role: 'support', reach: '', grantedAt: 1, grantedBy: 'operator:t' }
  await world.house.store.staffRoles.grant(row)
  const browser = openBrowser()
  const told = await browser.submit(await come(browser), 'hers-form', her.typed)
  t.true(isFactor(told))
  t.truthy(told.document.querySelector('#none-link'))
  t.falsy(told.document.querySelector('#code-form'))
  t.deepEqual(await her.links(), [])
  // Three ways on: as herself without the link, back to the question, and away.
  const href = told.document.querySelector('#sign-in-alone')?.getAttribute('href') ?? ''
  const signIn = await browser.open(`${world.issuer}${href}`)
  t.is((await tokensOf(await browser.submit(signIn, 'local-form', her.typed))).sub, her.sub)
  t.deepEqual(await her.links(), [])
  t.truthy(told.document.querySelector('#back-to-offer'))
  t.truthy(told.document.querySelector('#cancel-form'))
})
