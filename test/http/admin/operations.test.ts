/** Keys, outbox, audit trail, statistics and the system at the console. */
import test from 'ava'
import { columnsOf } from '#http/routes/admin/plots.ts'
import { dayIn } from '#lib/taiwan-days.ts'
import { text } from '../../helpers/account.ts'
import { openStaff } from '../../helpers/staff.ts'
import { buildWorld } from '../../helpers/world.ts'

test('an owner is told what wants doing, rotates keys, drops a message, and what strangers wrote stays text', async (t) => {
  const world = await buildWorld(t)
  const { store, now } = world.house
  const at = Math.floor(now() / 1000)
  const owner = await openStaff(world)
  const id = await store.outbox.put({
    kind: 'provisioning',
    target: '<b>gone</b>',
    payload: { receiver: 'gone', secret: 'never shown' },
    createdAt: at,
    dueAt: at + 3600,
  })
  await store.outbox.take(id, { at, until: at })
  await store.outbox.bury({ id, attempts: 1, claimedUntil: at }, 'it answered 500')

  const home = await owner.open('/admin?lang=en')
  t.is(home.status, 200)
  t.regex(text(home, '#task-messages-dead'), /^1\s+Messages given up$/)
  t.truthy(home.document.querySelector('#first-app'))
  const outbox = await owner.open('/admin/outbox?state=dead')
  t.is(outbox.document.querySelectorAll('#messages tbody tr').length, 1)
  t.notRegex(outbox.html, /<b>gone|never shown/)
  const chinese = await owner.open('/admin/outbox?state=dead&lang=zh-TW')
  t.is(text(chinese, '#messages td[data-label="失敗原因"]'), '對方回應 500')
  const message = await owner.open(`/admin/outbox/${id}?lang=en`)
  const slip = await owner.browser.submit(message, 'drop', { confirm: 'something else' })
  t.is(slip.status, 422)
  t.truthy(slip.document.querySelector('#f-drop-confirm[aria-invalid="true"]'))
  t.truthy(await store.outbox.find(id), 'nothing was dropped')
  const dropped = await owner.browser.submit(slip, 'drop', { confirm: id.slice(0, 8) })
  t.is(dropped.url.pathname, '/admin/outbox')
  t.regex(text(dropped, '#notice'), /discarded/)
  t.is((await owner.open(`/admin/outbox/${id}`)).status, 404)

  const keys = await owner.open('/admin/keys')
  t.truthy(keys.document.querySelector('svg[role="img"] > title'))
  const published = await owner.browser.submit(keys, 'rotate-ES256')
  t.regex(text(published, '#notice'), /published/)
  const rows = (page: typeof keys) => page.document.querySelectorAll('#keys tbody tr').length
  t.is(rows(published), rows(keys) + 1)
  const [next] = published.document.querySelectorAll('form[id^="revoke-"]')
  const form = next?.getAttribute('id') ?? ''
  t.is((await owner.browser.submit(published, form)).status, 422, 'the name has to be typed')
  const revoked = await owner.browser.submit(published, form, {
    confirm: form.slice('revoke-'.length),
  })
  t.regex(text(revoked, '#notice'), /revoked/)
  t.is(rows(revoked), rows(keys))
  // What an hour ago was proof enough is not for this.
  await owner.ageBy(3600)
  const stale = await owner.browser.submit(revoked, 'rotate-RS256')
  t.not(stale.url.pathname, '/admin/keys')
  t.is(rows(await owner.open('/admin/keys')), rows(keys))
})

test('a bar of a year is a whole week: a day alone would look like a fall', (t) => {
  const days = Array.from({ length: 365 }, () => ({ day: '2026-11-21', ok: 1, failed: 0 }))
  const { bars, per } = columnsOf(days)
  t.is(per, 'week')
  t.is(bars.length, 52)
  t.is(new Set(bars.map(({ good }) => good.height)).size, 1)
})

const daysUntil = (at: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    day: dayIn(at - (count - 1 - i) * 86_400),
    ok: 1,
    failed: 0,
  }))

test('an auditor searches, reads and takes along the trail; nothing in it becomes a line, a formula or a page', async (t) => {
  const world = await buildWorld(t)
  const { store, now } = world.house
  const at = Math.floor(now() / 1000)
  const auditor = await openStaff(world, [{ role: 'auditor', reach: '' }])
  await store.audit.record({
    at,
    actor: auditor.sub,
    action: 'evil\n{"level":"fatal"}',
    target: 'client:<script>alert(1)</script>',
    outcome: 'ok',
    ref: 'the-ref',
    details: { agent: '=HYPERLINK("https://evil.example","click")', '<img>': 'x' },
  })
  const list = await auditor.open('/admin/audit?ref=the-ref&lang=en')
  const [row] = list.document.querySelectorAll('#events tbody tr')
  t.is(list.document.querySelectorAll('#events tbody tr').length, 1)
  t.regex(row?.text ?? '', /evil/)
  t.notRegex(list.html, /<script>alert/)
  t.is(list.document.querySelector('#f-ref')?.getAttribute('value'), 'the-ref', 'kept as typed')
  const event = await auditor.open(row?.querySelector('a')?.getAttribute('href') ?? '')
  t.is(event.status, 200)
  t.notRegex(event.html, /<script>alert|<img>/)
  t.regex(text(event, '#details'), /HYPERLINK/)

  const csv = await auditor.browser.submit(list, 'csv')
  t.regex(csv.headers.get('content-type') ?? '', /^text\/csv/)
  t.regex(
    csv.headers.get('content-disposition') ?? '',
    /^attachment; filename="audit-[\d-]+\.csv"$/,
  )
  t.is(csv.headers.get('x-content-type-options'), 'nosniff')
  const lines = csv.html.split('\r\n')
  t.is(lines.length, 3, 'a heading, one event, and the end')
  t.regex(lines[1] ?? '', /,"evil \{""level""/)
  t.is((await auditor.browser.submit(list, 'csv', { since: 'tomorrow' })).status, 400)
  // Nor by an address alone, which a preview or a prefetch opens: taking it along is written down.
  t.is((await auditor.open('/admin/audit/csv?ref=the-ref')).status, 405)
  t.is((await store.auditReads.list({ action: 'audit.export', limit: 9 })).length, 1)
  t.is((await auditor.open('/admin/audit?since=tomorrow')).status, 422)
  // Our own pages are apps nobody registered: they have a name, and no page that could be opened.
  const hers = await auditor.open('/admin/audit?action=session.sign-in&lang=en')
  t.is(text(hers, '#events tbody td[data-label="Target"]'), 'Account pages')
  t.falsy(hers.document.querySelector('a[href="/admin/clients/citygate"]'))
  t.is((await auditor.open('/admin/audit?cursor=forged')).status, 422)
  for (const path of ['nobody/1', 'nobody/0', 'nobody/x'])
    t.is((await auditor.open(`/admin/audit/${path}`)).status, 404, path)

  const walked = await auditor.browser.submit(await auditor.open('/admin/audit'), 'verify')
  t.is(walked.url.pathname, '/admin/audit')
  t.notRegex(text(walked, '#check-state'), /Not checked/)
  // Who may look at keys and messages may not touch them.
  for (const path of ['/admin/keys', '/admin/outbox', '/admin/statistics', '/admin/system'])
    t.is((await auditor.open(path)).status, 200, path)
  t.falsy((await auditor.open('/admin/keys')).document.querySelector('form[id^="rotate"]'))
  t.notRegex(world.log.join(''), /HYPERLINK|"level":"fatal"/)
  t.true(world.log.every((line) => line.trim().split('\n').length === 1))
})

test('statistics and the doctor are shown with the same numbers as a table, and a county sees its own', async (t) => {
  const world = await buildWorld(t)
  const { store, now } = world.house
  const at = Math.floor(now() / 1000)
  const app = await world.buildApp({ name: '課程平台' })
  for (const [connector, outcome] of [
    ['ntpc', 'ok'],
    ['ntpc', 'refused'],
    ['kh', 'ok'],
  ] as const)
    await store.audit.record({
      at,
      actor: 'somebody',
      action: 'session.sign-in',
      target: `client:${app.clientId}`,
      outcome,
      details: { way: 'upstream', connector },
    })
  await world.house.background.run('count-sign-ins')
  const county = await openStaff(world, [{ role: 'support', reach: 'county:ntpc' }])
  const page = await county.open('/admin/statistics?days=7&lang=en')
  t.is(page.status, 200)
  t.deepEqual(
    page.document.querySelectorAll('#days tbody tr td').map((one) => one.text),
    ['1', '1', '50.0%'],
  )
  t.regex(text(page, '#by-day-says'), /1 sign-ins succeeded and 1 failed/)
  t.is(page.document.querySelectorAll('#ways tbody tr').length, 1)
  t.notRegex(page.html, /Kaohsiung|高雄/)
  const csv = await county.open('/admin/statistics/csv?days=7')
  t.regex(csv.html, /\r\n"way","ntpc","upstream","1","1"\r\n/)
  t.notRegex(csv.html, /kh/)
  const year = await county.open('/admin/statistics?days=365&lang=en')
  t.is(text(year, '#days thead th'), 'Week from', 'the table has a row for each bar')
  const [week] = columnsOf(daysUntil(at, 365)).counts.slice(-1)
  t.is(text(year, '#days tbody th'), week?.day ?? '')
  const none = await county.open('/admin/statistics?connector=kh')
  t.falsy(none.document.querySelector('#ways'))
  for (const path of ['/admin/keys', '/admin/outbox', '/admin/audit', '/admin/system'])
    t.is((await county.open(path)).status, 403, path)
  const home = await county.open('/admin')
  t.truthy(home.document.querySelector('#recent'))
  t.falsy(home.document.querySelector('#first'))

  for (const row of await store.clients.list())
    if (row.id === app.clientId) await store.clients.change({ ...row, secretExpiresAt: at + 3600 })
  const owner = await openStaff(world)
  const task = (await owner.open('/admin')).document.querySelector('#task-secrets-ending')
  const apps = await owner.open(task?.getAttribute('href') ?? '')
  t.is(
    apps.document.querySelector('select[name="state"] option[selected]')?.getAttribute('value'),
    'expiring',
    'the task leads to the apps it is about',
  )
  t.is(
    (await owner.open('/admin/statistics')).document.querySelectorAll('#ways tbody tr').length,
    2,
  )
  const logout = { kind: 'backchannel-logout', target: app.clientId, payload: {} } as const
  await store.outbox.put({ ...logout, createdAt: at, dueAt: at + 3600 })
  const waiting = await owner.open('/admin/outbox?lang=en')
  t.is(text(waiting, '#messages td[data-label="To"]'), '課程平台', 'an app has a name')
  const system = await owner.open('/admin/system?lang=en')
  t.is(text(system, '#examined'), 'Not checked yet.')
  const examined = await owner.browser.submit(system, 'examine')
  t.regex(text(examined, '#doctor'), /database: .* answers/)
  t.truthy(examined.document.querySelector('#jobs tbody tr'))
  const chinese = await owner.open('/admin/system?lang=zh-TW')
  t.regex(text(chinese, '#doctor'), /資料庫：\S.* 運作正常/)
  t.regex(
    text(chinese, '#doctor'),
    /郵件：沒有設定郵件伺服器.*→ 若要寄信給使用者，請設定 SMTP_URL/s,
  )
  t.regex(text(chinese, '#doctor'), /備份是否能還原/)
  t.is(chinese.document.querySelectorAll('#doctor [lang="en"]').length, 0)
})
