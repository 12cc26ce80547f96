/** The pages of imports: a file goes up, is checked, looked at, imported, and its report comes down. */
import { request } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { signInAgain, text } from '../../helpers/account.ts'
import type { Page } from '../../helpers/browser.ts'
import { openBrowser } from '../../helpers/browser.ts'
import { eventually } from '../../helpers/eventually.ts'
import { openStaff, type Staff } from '../../helpers/staff.ts'
import { buildWorld, type World } from '../../helpers/world.ts'

const sameSite = (issuer: string) => ({ origin: issuer, 'sec-fetch-site': 'same-origin' })

const tokens = (page: Page) =>
  Object.fromEntries(
    ['form_token', 'staff'].map((name) => [
      name,
      page.document.querySelector(`#import [name=${name}]`)?.getAttribute('value') ?? '',
    ]),
  )

/** Sends the form of `page`, with its fields or others. */
function send(
  { issuer }: World,
  { browser }: Staff,
  page: Page,
  file: Blob | undefined,
  {
    fields = {},
    headers = {},
  }: { fields?: Record<string, string>; headers?: Record<string, string> } = {},
) {
  const form = new FormData()
  for (const [name, value] of Object.entries({ ...tokens(page), existing: 'skip', ...fields }))
    form.set(name, value)
  if (file) form.set('file', file, '名單.csv')
  const init = { method: 'POST', body: form, headers: { ...sameSite(issuer), ...headers } }
  return browser.open(`${issuer}/admin/imports`, init)
}

const csv = (content: string) => new Blob([content], { type: 'text/csv' })
const hash = '$2b$04$uO51hSBBPVBb5VKD5SDaO.1JelWaCMUB5cNC2q6LW0.bgTgBQI.HK'

const standing = (staff: Staff, path: string, wanted: string) =>
  eventually(
    () => staff.open(path),
    (page) => text(page, '#main .badge') === wanted,
    5_000,
  )

type Opened = Awaited<ReturnType<typeof opened>>

async function opened(t: ExecutionContext) {
  const world = await buildWorld(t)
  const staff = await openStaff(world)
  return { world, staff, page: await staff.open('/admin/imports/new') }
}

test('a file is uploaded, checked, looked at, imported with its name typed, and reported', async (t) => {
  const { world, staff, page } = await opened(t)
  t.is((await staff.open('/admin/imports')).document.querySelectorAll('#imports tr').length, 0)
  const template = await staff.open('/admin/imports/template')
  t.is(template.headers.get('content-type'), 'text/csv; charset=utf-8')
  t.regex(template.html, /^\ufeff?"account","name"/)

  const file = `帳號,姓名,密碼雜湊,電話\nwang,<b>=王</b>,${hash},\nli,李四,${hash},\nli,李四,,\nno,無,,99\n`
  const sent = await send(world, staff, page, csv(file))
  t.regex(sent.url.pathname, /^\/admin\/imports\/[0-9a-f-]{36}$/)
  const path = sent.url.pathname
  const checked = await standing(staff, path, '已檢查')
  t.is(text(checked, '#total'), '4')
  t.is(text(checked, '#count-created'), '1')
  t.is(text(checked, '#count-refused'), '3')
  t.is(text(checked, '#note-2 td:last-child'), '姓名：含有無法辨識或無法顯示的字')
  t.regex(text(checked, '#note-4 td:last-child'), /帳號：與第 3 列重複/)
  t.is(await world.house.store.identifiers.find('username', 'li'), undefined)
  // A link beside the bar does what the script does.
  t.falsy(checked.document.querySelector('#import-progress'))
  const data = await staff.open(`${path}/progress`)
  t.like(JSON.parse(data.html), { state: 'checked', total: '4' })

  const wrong = await staff.browser.submit(checked, 'import-start', { confirm: 'yes' })
  t.is(wrong.status, 422)
  t.truthy(wrong.document.querySelector('#f-import-start-confirm[aria-invalid=true]'))
  const begun = await staff.browser.submit(checked, 'import-start', { confirm: ' 名單．csv ' })
  t.is(begun.status, 200)
  const done = await standing(staff, path, '已完成')
  t.is(text(done, '#count-created'), '1')
  t.truthy(await world.house.store.identifiers.find('username', 'li'))

  const report = await staff.open(`${path}/report`)
  t.regex(
    report.headers.get('content-disposition') ?? '',
    /^attachment; filename="import-[0-9a-f]{8}\.csv"$/,
  )
  t.is(report.headers.get('content-security-policy'), "default-src 'none'; sandbox")
  t.is(report.html.trim().split('\r\n').length, 5)
  t.regex(report.html, /"3","新增",""/)
  t.notRegex(report.html, /李四|王/)

  const removed = await staff.browser.submit(done, 'import-remove', { confirm: '名單.csv' })
  t.is(removed.url.pathname, '/admin/imports')
  t.is((await staff.open(path)).status, 404)
  t.truthy(await world.house.store.identifiers.find('username', 'li'))
  t.notRegex(world.log.join(''), /李四|wang|名單/)
})

/** What is no such file is said on the page, with the choice kept. */
async function sendNonsense(t: ExecutionContext, { world, staff, page }: Opened) {
  const bad: [Blob | undefined, RegExp][] = [
    [undefined, /請選擇檔案/],
    [csv(''), /沒有資料/],
    [new Blob([Buffer.from('504b030414000600', 'hex')]), /試算表原始檔/],
    [csv('account,name,is_admin\na,b,c\n'), /無法辨識的欄位：\s*is_admin/],
    [csv('account,name,"<script>alert(1)</script>"\na,b,c\n'), /無法辨識的欄位/],
    [csv(`account,name\na,"b\n${'x'.repeat(70_000)}`), /第 2 列/],
  ]
  for (const [file, words] of bad) {
    const answer = await send(world, staff, page, file, { fields: { existing: 'update' } })
    t.is(answer.status, 422)
    t.regex(text(answer, '#f-file-problem'), words)
    t.is(
      answer.document.querySelector('#f-existing option[selected]')?.getAttribute('value'),
      'update',
    )
    t.truthy(answer.document.querySelector('#problems a[href="#f-file"]'))
    t.falsy(answer.document.querySelector('#main script:not([src])'))
  }
  const odd = await send(world, staff, page, csv('account,name\na,b\n'), {
    fields: { existing: 'all' },
  })
  t.is(odd.status, 422)
  const large = new Blob([Buffer.from('account,name\n'), Buffer.alloc(53 * 1024 * 1024, '\n')])
  t.is((await send(world, staff, page, large)).status, 413)
}

/** Another site, another form, another person, another role. */
async function sendAsOthers(t: ExecutionContext, { world, staff, page }: Opened) {
  const file = csv('account,name\na,b\n')
  const fields = { form_token: 'guessed' }
  t.is((await send(world, staff, page, file, { fields })).status, 403)
  const crossSite = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
  t.is((await send(world, staff, page, file, { headers: crossSite })).status, 403)
  t.is((await send(world, staff, page, file, { fields: { staff: 'whose' } })).status, 409)
  const post = (body: string, type: string) =>
    staff.browser.open(`${world.issuer}/admin/imports`, {
      method: 'POST',
      body,
      headers: { ...sameSite(world.issuer), 'content-type': type },
    })
  t.is((await post('account,name\na,b\n', 'text/csv')).status, 415)
  t.is((await post('{}', 'application/json')).status, 415)
  t.is((await post('x', 'multipart/form-data')).status, 400)

  const support = await openStaff(world, [{ role: 'support', reach: '' }])
  for (const path of ['', '/new', '/export', '/template']) {
    t.is((await support.open(`/admin/imports${path}`)).status, 403, path)
  }
  t.is((await send(world, support, page, file)).status, 403)
  const stranger = openBrowser()
  const away = await stranger.open(`${world.issuer}/admin/imports/new`)
  t.regex(away.url.pathname, /^\/interaction\//)
}

async function breakOff(t: ExecutionContext, { world, staff, page }: Opened) {
  const { form_token: token = '', staff: mark = '' } = tokens(page)
  const part = (name: string, value: string) =>
    `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  const cookie = await staff.browser.jar.getCookieString(world.issuer)
  const { store } = world.house
  const sending = request(`${world.issuer}/admin/imports`, {
    method: 'POST',
    headers: { cookie, 'content-type': 'multipart/form-data; boundary=x', 'content-length': 9e6 },
  })
  sending.on('error', () => {})
  sending.write(part('form_token', token) + part('staff', mark))
  sending.write(
    '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\naccount,name\r\n',
  )
  sending.write(Array.from({ length: 20_000 }, (_, i) => `u${i},b\r\n`).join(''))
  const begun = await eventually(
    () => store.peopleImports.list(undefined, 2),
    ([one]) => (one?.total ?? 0) > 5_000,
    5_000,
  )
  t.is(begun[0]?.state, 'receiving')
  sending.destroy()
  const left = await eventually(
    () => store.peopleImports.list(undefined, 2),
    (all) => all.length === 0,
    5_000,
  )
  t.deepEqual(left, [])
}

test('nothing comes in that is no such file, is not hers to send, or breaks off in the middle', async (t) => {
  const all = await opened(t)
  await sendNonsense(t, all)
  await sendAsOthers(t, all)
  t.deepEqual(await all.world.house.store.peopleImports.list(undefined, 10), [])
  await breakOff(t, all)
})

test('people are exported with both factors fresh, and whoever comes from a file signs in', async (t) => {
  const { world, staff, page } = await opened(t)
  const { hashSync } = await import('bcryptjs')
  const password = '天地玄黃宇宙洪荒'
  const file = `account,name,password_hash\nliu,劉一,${hashSync(password, 4)}\n`
  const { pathname } = (await send(world, staff, page, csv(file))).url
  const checked = await standing(staff, pathname, '已檢查')
  await staff.browser.submit(checked, 'import-start', { confirm: ' 名單．csv ' })
  await standing(staff, pathname, '已完成')
  const member = await signInAgain(world, openBrowser(), { account: 'liu', password })
  t.is(member.url.pathname, '/account', member.document.querySelector('main')?.text)

  const form = await staff.open('/admin/imports/export')
  const wrong = await staff.browser.submit(form, 'export', { status: 'asleep' })
  t.is(wrong.status, 422)
  const exported = await staff.browser.submit(form, 'export', { status: 'active' })
  t.is(exported.status, 200)
  t.regex(exported.headers.get('content-disposition') ?? '', /attachment/)
  t.regex(exported.html, /"liu","劉一"/)
  await staff.ageBy(21 * 60)
  const stale = await staff.browser.submit(form, 'export', { status: 'active' })
  t.notRegex(stale.html, /劉一/)
  t.regex(stale.url.pathname, /^\/interaction\//)
})

test('a reason that fits many rows is told once, and leads to them', async (t) => {
  const { world, staff, page } = await opened(t)
  const rows = Array.from({ length: 60 }, (_, i) => `p${i},王,99`).join('\n')
  const file = `帳號,姓名,電話\n${rows}\nli,李,\nli,四,\n`
  const { pathname: path } = (await send(world, staff, page, csv(file))).url
  const checked = await standing(staff, path, '已檢查')
  t.is(checked.document.querySelectorAll('#reasons tbody tr').length, 3)
  t.falsy(checked.document.querySelector('#notes'), 'the same sixty times')
  t.regex(text(checked, '#reason-phone-phone'), /電話：不是電話號碼.*60.*2、3、4、5、6…/)
  t.regex(text(checked, '#reason-account-twin'), /帳號：與檔案中較前面的一列重複.*1.*63/)
  const link = checked.document.querySelector('#reason-phone-phone a')?.getAttribute('href') ?? ''
  const first = await staff.open(link)
  t.is(first.document.querySelectorAll('#notes tbody tr').length, 50)
  t.regex(text(first, '#notes-title'), /電話：不是電話號碼/)
  const on = first.document.querySelector('#next-page')?.getAttribute('href') ?? ''
  const second = await staff.open(on)
  t.is(second.document.querySelectorAll('#notes tbody tr').length, 10)
  t.is(text(second, '#note-61 th'), '61')
  const all = await staff.open(`${path}?reason=all`)
  t.is(all.document.querySelectorAll('#notes tbody tr').length, 50)
  t.is((await staff.open(`${path}?reason=evil'--`)).status, 200)
  const { html } = await staff.open(`${path}/report`)
  t.is(html.trim().split('\r\n').length, 63, 'the report has a line for each row')
})
