/** People of upstreams that speak something else than OpenID Connect, from the app there and back. */
import test, { type ExecutionContext } from 'ava'
import { openDatabase } from '#store/database.ts'
import { type Browser, openBrowser, type Page } from '../helpers/browser.ts'
import { agree, stepOf } from '../helpers/joining.ts'
import { arrivedAt, type RelyingParty } from '../helpers/relying-party.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const scope = 'openid profile email eduinfo openid2'

type Gate = {
  account: string
  claims: { name: string; schoolid: string; titles: string[] }
  openid2?: RegExp
  /** What goes wrong in each mode, as the log says it. */
  modes: Record<string, string>
  /** A mode in which the second answer is like the first. */
  replays?: string
  /** A mode in which it cannot be reached when we ask. */
  down: string
}

const gates: Record<string, Gate> = {
  tn: {
    account: 'tntest',
    claims: { name: '郭美惠', schoolid: '114698', titles: ['教師', '設備組長'] },
    openid2: /\/tn\/op\/user\.aspx\/tntest$/,
    modes: {
      garbage: 'nonsense',
      refuses: 'refused',
      'wrong-signature': 'forged',
      'unsigned-attribute': 'forged',
      'foreign-claimed-id': 'forged',
    },
    replays: 'replayed-nonce',
    down: 'down',
  },
  tp: {
    account: 'tptest',
    claims: { name: '周明德', schoolid: '353698', titles: ['教師'] },
    modes: { refuses: 'refused', 'no-subject': 'nonsense' },
    down: 'down-token',
  },
  'saml-school': {
    account: 'schooltest',
    claims: { name: '梁靜宜', schoolid: '9998', titles: ['教師', '系主任'] },
    modes: {
      garbage: 'nonsense',
      refuses: 'refused',
      unsigned: 'forged',
      'wrong-signature': 'forged',
      'wrong-issuer': 'forged',
      'wrong-audience': 'forged',
      'wrong-recipient': 'forged',
    },
    down: 'down',
  },
  directory: {
    account: 'dirtest',
    claims: { name: '余振華', schoolid: '014798', titles: ['教師', '設備組長'] },
    modes: { garbage: 'nonsense', 'no-subject': 'nonsense' },
    down: 'down',
  },
}

/** As far as it leads: through the upstream's page or ours, and what it sends back as a form. */
async function comeThrough(world: World, browser: Browser, page: Page, id: string, by?: string) {
  const account = by ?? gates[id]?.account ?? ''
  const there = await browser.submit(page, 'county-form', { connector: id })
  const form = ['county-login', 'upstream-password-form'].find((one) =>
    there.document.querySelector(`form[id="${one}"]`),
  )
  if (!form) return bringBack(world, browser, there)
  const sent = await browser.submit(there, form, { account, password: account })
  return bringBack(world, browser, sent)
}

/** What a browser does with a form that is for another site: no cookie goes along (SameSite=Lax). */
async function bringBack(world: World, browser: Browser, page: Page): Promise<Page> {
  const form = page.document
    .querySelectorAll('form')
    .find((one) => one.getAttribute('action')?.startsWith(`${world.issuer}/upstream/`))
  if (!form || page.url.origin === world.issuer) return page
  const fields = form.querySelectorAll('input[name]').map(({ attributes }) => attributes)
  return browser.open(form.getAttribute('action') ?? '', {
    method: 'POST',
    body: new URLSearchParams(fields.map(({ name = '', value = '' }) => [name, value])),
    headers: { cookie: '', origin: page.url.origin, 'sec-fetch-site': 'cross-site' },
  })
}

async function claimsOf(t: ExecutionContext, world: World, rp: RelyingParty, back: Page) {
  t.true(arrivedAt(rp, back), world.log.slice(-3).join(''))
  const { body } = await rp.redeem(back.url)
  const [{ payload }, info] = await Promise.all([
    rp.verify(body.id_token),
    rp.get('/me', body.access_token),
  ])
  return { payload, info: info.body }
}

async function countAccounts(world: World): Promise<number> {
  const knex = openDatabase(world.house.config.database)
  const [row] = await knex('account').count({ all: '*' })
  await knex.destroy()
  return Number(row?.all)
}

/** The page in words, what the log calls it, and the ways on that stand on it. */
async function isRefused(
  t: ExecutionContext,
  world: World,
  problem: Page,
  failure: string,
  mode = '',
) {
  t.is(problem.url.origin, world.issuer, mode)
  t.true(problem.status >= 400)
  const ref = problem.document.querySelector('#problem-ref')?.text ?? 'no reference'
  const line = world.log.map((l) => JSON.parse(l)).find((l) => l.ref === ref && l.failure)
  t.is(line?.failure, failure, `${mode} ${world.log.slice(-6).join('')}`)
  const ways = problem.document.querySelectorAll('[id^=next-]').map(({ id }) => id)
  for (const id of ['next-again-county', 'next-other-county', 'next-local', 'next-back-to-app'])
    t.true(ways.includes(id), `${id} of ${ways}`)
}

for (const [id, { account, claims, openid2, modes, replays, down }] of Object.entries(gates)) {
  test(`${id}: a teacher signs in, twice, and is the same person; a pupil and who has no e-mail come in, too`, async (t) => {
    const world = await buildWorld(t, { sandbox: true })
    const rp = await world.buildApp()
    const comeIn = async (one: string) => {
      const browser = openBrowser()
      const page = await rp.begin(browser, { scope })
      return claimsOf(t, world, rp, await comeThrough(world, browser, page, id, one))
    }
    const subs: unknown[] = []
    for (const _ of ['first', 'again']) {
      const { payload, info } = await comeIn(account)
      const { name, schoolid, titles } = claims
      t.is(info.name, name)
      t.is(info.email_verified, false, 'no upstream is trusted to verify addresses')
      const { sub } = payload
      t.deepEqual(info.eduinfo as object, { sub, schoolid, titles: [{ schoolid, titles }] })
      if (openid2) t.regex(String(info.openid2_id), openid2)
      else t.false('openid2_id' in info)
      subs.push(sub)
    }
    t.is(new Set(subs).size, 1)
    for (const other of ['pupil', 'na']) {
      const { payload, info } = await comeIn(account.replace(/test$/, other))
      t.false(subs.includes(payload.sub))
      t.is('email' in info, other === 'pupil')
      if (other === 'pupil') t.like(info.eduinfo, { titles: [{ titles: ['學生'] }] })
    }
    t.is(await countAccounts(world), 3)
    const told = world.log.join('')
    for (const secret of ['SAMLResponse', 'openid.sig', 'code=', `${account}@`])
      t.false(told.includes(secret), `the log says ${secret}`)
  })

  test(`${id}: what it lies about is refused, who cancels there has other ways in, and nobody gets an account`, async (t) => {
    const world = await buildWorld(t, { sandbox: true })
    const rp = await world.buildApp()
    const comeAsFar = async (mode: string) => {
      await world.switchCounty(id, mode)
      const browser = openBrowser()
      return comeThrough(world, browser, await rp.begin(browser), id)
    }
    for (const [mode, failure] of Object.entries(modes)) {
      await isRefused(t, world, await comeAsFar(mode), failure, mode)
    }
    await world.switchCounty(id, 'ok')
    const browser = openBrowser()
    const left = await browser.submit(await rp.begin(browser), 'county-form', { connector: id })
    if (left.document.querySelector('#county-login')) {
      const cancelled = await browser.submit(left, 'county-login', { cancel: 'yes' })
      await isRefused(t, world, await bringBack(world, browser, cancelled), 'refused')
    } else {
      const href = left.document.querySelector('#back-link')?.getAttribute('href') ?? ''
      const again = await browser.open(new URL(href, world.issuer).href)
      t.truthy(again.document.querySelector('#county-form'))
    }
    t.is(await countAccounts(world), 0)
    if (!replays) return
    t.true(arrivedAt(rp, await comeAsFar(replays)), 'what comes for the first time is good')
    await isRefused(t, world, await comeAsFar(replays), 'forged')
  })

  test(`${id}: while it cannot be reached the page says so and leads on; afterwards it is as before`, async (t) => {
    const world = await buildWorld(t, { sandbox: true })
    const rp = await world.buildApp()
    await world.switchCounty(id, down)
    const browser = openBrowser()
    const page = await rp.begin(browser)
    await isRefused(t, world, await comeThrough(world, browser, page, id), 'unreachable')
    t.is(await countAccounts(world), 0)

    await world.switchCounty(id, 'ok')
    const other = openBrowser()
    const back = await comeThrough(world, other, await rp.begin(other, { scope }), id)
    t.is((await claimsOf(t, world, rp, back)).info.name, claims.name)
  })
}

test('whatever it speaks, who comes from there and is nobody’s member here joins with what it says of her', async (t) => {
  const world = await buildWorld(t, {
    sandbox: true,
    enrolments: 'as configured',
    agreements: ['educloud'],
  })
  const rp = await world.buildApp()
  for (const [id, { claims }] of Object.entries(gates)) {
    const browser = openBrowser()
    const terms = await comeThrough(world, browser, await rp.begin(browser), id)
    t.is(stepOf(terms), 'terms', id)
    const form = await agree(browser, terms)
    t.is(stepOf(form), 'school-form', id)
    // Vouched for, hence not hers to change.
    t.true(form.document.querySelector('#main')?.text.includes(claims.name), id)
  }
  t.is(await countAccounts(world), 0)
})
