/** The upstreams at the console, with the sandbox's: closing one, announcing, and trying them out. */
import test from 'ava'
import { text } from '../../helpers/account.ts'
import { openBrowser, type Page } from '../../helpers/browser.ts'
import { arrivedAt } from '../../helpers/relying-party.ts'
import { openStaff, type Staff } from '../../helpers/staff.ts'
import { buildWorld, type World } from '../../helpers/world.ts'

const as = (account: string) => ({ account, password: account })
const begin = async (staff: Staff, id: string) =>
  staff.browser.submit(await staff.open(`/admin/upstreams/${id}/test`), 'test')
const checks = (page: Page) =>
  page.document.querySelectorAll('#checks tbody td').map((one) => one.text.trim())
const accounts = async ({ house }: World) =>
  (await house.store.auditReads.list({ limit: 200 })).filter(({ action }) =>
    /account|identity|session/.test(action),
  ).length

test('somebody of the county’s staff tries its sign-in out: she sees what came and what we make of it, once, and nobody is signed in', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const staff = await openStaff(world, [{ role: 'support', reach: 'county:ntpc' }])
  const list = await staff.open('/admin/upstreams')
  t.is(list.status, 200)
  t.is(list.document.querySelectorAll('#upstreams tbody tr').length, 1)
  t.is((await staff.open('/admin/upstreams/kh')).status, 404)
  t.is((await staff.open('/admin/upstreams/kh/test')).status, 404)
  const one = await staff.open('/admin/upstreams/ntpc?lang=en')
  t.is(one.status, 200)
  t.is(text(one, '#address-callback'), `${world.issuer}/upstream/ntpc/callback`)
  t.truthy(one.document.querySelector('#switch-off'))

  const before = await accounts(world)
  const county = await begin(staff, 'ntpc')
  t.true(county.url.href.startsWith(world.counties), county.url.href)
  const back = await staff.browser.submit(county, 'county-login', as('ntpctest'))
  t.is(back.url.pathname, '/admin/upstreams/ntpc/test')
  t.is(text(back, '#result-title'), 'Test passed')
  t.deepEqual(checks(back), Array(6).fill('Passed'))
  t.is(text(back, '#subject'), 'ntpctest')
  t.regex(text(back, '#raw'), /"eduinfo"/)
  t.true(back.document.querySelectorAll('#affiliations li').length > 0)
  t.is(text(back, '#whom'), 'Nobody yet: this person would be new here.')
  t.is(await accounts(world), before, 'no account, no link, no session')
  t.is((await staff.open('/account')).status, 200, 'she is who she was')
  const again = await staff.open('/admin/upstreams/ntpc/test')
  t.falsy(again.document.querySelector('#result'), 'it is shown once')
  const trail = await world.house.store.auditReads.list({ action: 'upstream.test', limit: 10 })
  t.deepEqual(
    trail.map(({ actor, target, outcome }) => [actor, target, outcome]),
    [[staff.sub, 'connector:ntpc', 'ok']],
  )
  t.notRegex(world.log.join('') + JSON.stringify(trail), /ntpctest|eduinfo/)

  // Once somebody has joined from there it says whom it would sign in, to who may know.
  const rp = await world.buildApp()
  const her = openBrowser()
  const page = await rp.begin(her, { upstream: 'ntpc' })
  t.true(arrivedAt(rp, await her.submit(page, 'county-login', as('ntpctest'))))
  const known = await staff.browser.submit(
    await begin(staff, 'ntpc'),
    'county-login',
    as('ntpctest'),
  )
  t.regex(known.document.querySelector('#whom a')?.getAttribute('href') ?? '', /^\/admin\/people\//)

  await world.switchCounty('ntpc', 'wrong-nonce')
  const lied = await staff.browser.submit(
    await begin(staff, 'ntpc'),
    'county-login',
    as('ntpctest'),
  )
  t.is(lied.url.pathname, '/admin/upstreams/ntpc/test')
  t.is(text(lied, '#result-title'), 'Test failed')
  t.regex(text(lied, '#why'), /ntpc: token endpoint: .*nonce/)
  t.deepEqual(checks(lied), ['Passed', 'Passed', 'Failed', ...Array(3).fill('Not reached')])
  t.falsy(lied.document.querySelector('#raw'))
  t.deepEqual(
    await world.house.store.upstreamEvents.list('ntpc', { kind: 'failure', limit: 5 }),
    [],
    'nobody failed: it was a test',
  )
  const person = openBrowser()
  const vain = await person.submit(
    await rp.begin(person, { upstream: 'ntpc' }),
    'county-login',
    as('ntpctest'),
  )
  t.is(vain.status, 400)
  const history = await staff.open('/admin/upstreams/ntpc?kind=failure')
  t.true(text(history, '#events').includes(text(vain, '#problem-ref')), 'by the code she reads out')
  t.is(text(history, '#errors td.number'), '1')
  const chinese = await staff.open('/admin/upstreams/ntpc?kind=failure&lang=zh-TW')
  t.regex(text(chinese, '#events'), /步驟：權杖端點/)
})

test('upstreams are sorted by how they stand, what wants looking at first', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const staff = await openStaff(world)
  const { store } = world.house
  await store.upstreamSwitches.switchOff({
    connector: 'tn',
    offAt: 5,
    switchedBy: 'x',
    reason: 'r',
  })
  for (let i = 0; i < 3; i++) {
    world.house.upstreamHealth.hear('kh', { kind: 'failed', failure: 'unreachable' })
  }
  const order = async (path: string) =>
    (await staff.open(path)).document
      .querySelectorAll('#upstreams tbody tr')
      .map(({ id }) => id.replace('row-', ''))
  const list = await staff.open('/admin/upstreams')
  const byState = list.document.querySelectorAll('#upstreams thead a')[1]?.getAttribute('href')
  t.is(byState, '/admin/upstreams?sort=state')
  const sorted = await order('/admin/upstreams?sort=state')
  t.deepEqual(sorted.slice(0, 2), ['kh', 'tn'])
  const usual = await order('/admin/upstreams')
  t.deepEqual(sorted.toSorted(), usual.toSorted())
  const closed = await order('/admin/upstreams?show=away')
  t.deepEqual(sorted.slice(-closed.length), closed, 'who is not connected comes last, in our order')
})

test('an upstream is switched off with its name typed: people read it everywhere, and staff try it out all the same', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const staff = await openStaff(world)
  const rp = await world.buildApp()
  const path = '/admin/upstreams/directory'
  const label = '示範國民中學（沙盒）'
  const off = (fields: Record<string, string>, page: Page) =>
    staff.browser.submit(page, 'switch-off', fields)
  const wrong = await off({ confirm: 'directory', reason: '金鑰外洩 <b>' }, await staff.open(path))
  t.is(wrong.status, 422)
  t.is(text(wrong, '#f-reason'), '金鑰外洩 <b>')
  t.truthy(wrong.document.querySelector('#f-switch-off-confirm[aria-invalid=true]'))
  const done = await off({ confirm: label, reason: '金鑰外洩 <b>' }, wrong)
  t.is(done.url.search, '?done=upstream-off')
  t.true(text(done, '#switched-off').includes('金鑰外洩 <b>'))
  t.true(text(done, '#switched-off').includes('陳管理'))
  t.truthy(done.document.querySelector('#events'))

  const her = openBrowser()
  const selector = await rp.begin(her, { ui_locales: 'zh-TW' })
  const option = selector.document.querySelector('#connector option[value=directory]')
  t.is(option?.text.trim(), `${label}（暫停開放）`)
  t.true(option?.hasAttribute('disabled'))
  const refused = await her.submit(selector, 'county-form', { connector: 'directory' })
  t.is(refused.url.hostname, 'localhost')
  t.true(refused.html.includes('暫停開放'), refused.html)
  t.false(refused.html.includes('金鑰外洩'), 'why is for staff')
  const status = await her.open(`${world.issuer}/status?lang=en`)
  t.true(text(status, '#upstream-directory').includes('Closed for now'))
  const { upstreams } = await (await fetch(`${world.issuer}/status.json`)).json()
  t.is(upstreams.find(({ id }: { id: string }) => id === 'directory').state, 'off')

  // A directory's own form, in a browser that may not use it otherwise.
  const asked = await begin(staff, 'directory')
  t.is(asked.url.pathname, '/upstream/directory/password')
  const again = await staff.browser.submit(asked, 'upstream-password-form', {
    account: 'dirtest',
    password: 'no',
  })
  t.is(again.status, 422)
  const tested = await staff.browser.submit(again, 'upstream-password-form', as('dirtest'))
  t.is(tested.url.pathname, `${path}/test`)
  t.is(text(tested, '#result-title'), '測試成功')
  t.true(text(tested, '#away').includes('停用'))
  t.regex(text(tested, '#raw'), /"uid": "dirtest"/)

  // A school's form, which comes back as a POST without our cookies.
  const school = await begin(staff, 'saml-school')
  const posted = await staff.browser.submit(school, 'county-login', as('schooltest'))
  const said = await staff.browser.submit(posted, 'county-post')
  t.is(said.url.pathname, '/admin/upstreams/saml-school/test', said.html)
  t.deepEqual(checks(said), ['通過', '通過', '通過'])
  const saml = await staff.open('/admin/upstreams/saml-school')
  t.truthy(saml.document.querySelector('#certificates'), 'our own certificate')
  t.is(text(saml, '#address-metadata'), `${world.issuer}/upstream/saml-school/metadata`)

  const on = await staff.browser.submit(await staff.open(path), 'switch-on')
  t.is(on.url.search, '?done=upstream-on')
  t.falsy((await rp.begin(her)).document.querySelector('option[value=directory][disabled]'))
})

test('maintenance is announced in both languages and withdrawn, a slip keeps what was typed, and a stale proof is asked for again', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const staff = await openStaff(world)
  const path = '/admin/upstreams/kh'
  const fields = { zh: '更新系統', en: '', from: '2026-12-01T18:00', until: '2020-12-01T20:00' }
  const slip = await staff.browser.submit(await staff.open(path), 'announce', fields)
  t.is(slip.status, 422)
  t.is(text(slip, '#f-zh'), '更新系統')
  t.truthy(slip.document.querySelector('#f-en[aria-invalid=true]'))
  t.truthy(slip.document.querySelector('#f-until[aria-invalid=true]'))
  const later = new Date(Date.now() + 32 * 3_600_000).toISOString().slice(0, 16)
  const soon = new Date(Date.now() + 7 * 3_600_000).toISOString().slice(0, 16)
  const right = { zh: '更新系統', en: 'We renew our system', from: soon, until: later }
  const added = await staff.browser.submit(slip, 'announce', right)
  const ids = added.document.querySelectorAll('[id]').map(({ id }) => id)
  t.deepEqual(ids, [...new Set(ids)], 'what is said of an act has an id of its own')
  t.is(added.url.search, '?done=notice-added')
  t.true(text(added, '#notices').includes('We renew our system'))
  const status = await openBrowser().open(`${world.issuer}/status?lang=en`)
  t.true(text(status, '#upstream-kh').includes('We renew our system'))
  const gone = await staff.browser.submit(added, 'withdraw-0')
  t.is(gone.url.search, '?done=notice-removed')
  t.truthy(gone.document.querySelector('#no-notices'))

  const probed = await staff.browser.submit(gone, 'probe')
  t.is(probed.url.search, '?probed=answers')
  const away = await staff.open('/admin/upstreams/kl')
  t.true(text(away, '.facts').includes('KL_CLIENT_ID'))
  t.falsy(away.document.querySelector('#probe'))

  const page = await staff.open(path)
  await staff.ageBy(30 * 60)
  const confirm = { confirm: '高雄市', reason: 'x' }
  const anew = await staff.browser.submit(page, 'switch-off', confirm)
  t.not(anew.url.pathname, path)
  t.is(await world.house.store.upstreamSwitches.find('kh'), undefined)
})
