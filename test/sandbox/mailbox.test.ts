import test from 'ava'
import { queueMail } from '#accounts/mail.ts'
import { queueProvisioning } from '#accounts/provisioning.ts'
import type { Mail } from '#lib/mail.ts'
import { openPost } from '#sandbox/post.ts'
import { openShelf } from '#sandbox/shelf.ts'
import { openBrowser } from '../helpers/browser.ts'
import { eventually } from '../helpers/eventually.ts'
import { openMailServer } from '../helpers/mail-server.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const at = () => Math.floor(Date.now() / 1000)

const isEmpty = (rows: unknown[]) => rows.length === 0

/** Queues it as any room would, and waits until it has gone. */
async function send({ house: { store } }: World, mail: Mail): Promise<string> {
  const id = await store.transaction((tables) => queueMail(tables, mail, { at: at() }))
  const left = await eventually(() => store.outbox.list(), isEmpty)
  if (left.length > 0) throw new Error(JSON.stringify(left))
  return id
}

test('a letter queued in a transaction is read in the mailbox: page, text, links and raw message', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const link = `${world.issuer}/activate/token-of-43-letters`
  const mail = world.house.writeLetter({
    kind: 'activate',
    to: 'ming@example.com',
    language: 'zh-TW',
    link,
    params: { account: 'ming@example.com', lasts: 259_200 },
  })
  const id = await send(world, mail)

  const browser = openBrowser()
  const index = await browser.open(`${world.counties}/mail`)
  t.is(index.status, 200)
  const row = index.document.querySelector('#mails li')
  t.is(row?.querySelector('a')?.text, '教育雲帳號啟用通知信')
  t.is(row?.querySelector('a')?.getAttribute('href'), `/mail/${id}`)
  t.regex(row?.text ?? '', /ming@example\.com/)

  const page = await browser.open(`${world.counties}/mail/${id}`)
  t.is(page.document.querySelector('h1')?.text.trim(), '教育雲帳號啟用通知信')
  t.is(page.document.querySelector('#to')?.text, 'ming@example.com')
  t.is(page.document.querySelector('#links a')?.getAttribute('href'), link)
  t.regex(page.document.querySelector('#text pre')?.text ?? '', /啟用連結在 3 天內有效/)
  const raw = page.document.querySelector('#raw pre')?.text ?? ''
  t.regex(raw, new RegExp(`^Message-ID: .{0,2}<${id}@sandbox\\.example>`, 'ms'))
  t.regex(raw, /^Content-Type: multipart\/alternative/m)
  t.regex(page.headers.get('content-security-policy') ?? '', /frame-src 'self'/)

  const frame = page.document.querySelector('iframe')
  t.is(frame?.getAttribute('src'), `/mail/${id}/page`)
  const html = await browser.open(`${world.counties}/mail/${id}/page`)
  t.regex(html.html, /<base target="_blank">/)
  t.is(html.document.querySelector('a.button')?.getAttribute('href'), link)
})

test('the newest mail is on top, a mail delivered twice is there once, and the mailbox can be emptied', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const [, , sandboxPort] = world.ports
  const post = openPost(sandboxPort)
  for (const id of ['one', 'two', 'two', 'three']) {
    const sent = await post({ to: 'ming@example.com', subject: id, text: id }, id)
    t.is(sent.kind, 'delivered')
  }
  const browser = openBrowser()
  const page = await browser.open(`${world.counties}/mail`)
  const subjects = page.document.querySelectorAll('#mails .subject').map((one) => one.text)
  t.deepEqual(subjects, ['three', 'two', 'one'])

  const emptied = await browser.submit(page, 'empty-form')
  t.is(emptied.url.pathname, '/mail')
  t.regex(emptied.document.querySelector('#mails')?.text ?? '', /還沒有信/)
  t.is(emptied.document.querySelector('#empty-form'), null)
  t.is((await browser.open(`${world.counties}/mail/one`)).status, 404)
})

test('mails outlive a restart, and those of a workers’ process arrive too', async (t) => {
  const first = await buildWorld(t, { sandbox: true })
  // A worker has only the port.
  const post = openPost(first.ports[2])
  await post({ to: 'ming@example.com', subject: 'from a worker', text: 'x' }, 'one')
  await first.close()
  const away = await post({ to: 'ming@example.com', subject: 'too late', text: 'x' }, 'two')
  t.deepEqual(away, { kind: 'failed', why: 'the sandbox’s mailbox could not be reached' })

  const again = await buildWorld(t, { sandbox: true, dataDir: first.dataDir, ports: first.ports })
  const page = await openBrowser().open(`${again.counties}/mail`)
  t.is(page.document.querySelector('#mails .subject')?.text, 'from a worker')
})

test('a mail of somebody who means ill is shown, and cannot run, fetch, ask or lead its frame away', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const html = `<!doctype html><html><head><meta http-equiv="refresh" content="0;url=https://evil.example">
    <script>document.title='ran'</script></head>
    <body onload="alert(1)"><img src="https://evil.example/x.png" onerror="alert(1)">
    <form action="https://evil.example"><input name="password"></form></body></html>`
  const id = await send(world, {
    to: 'ming@example.com',
    subject: '<img src=x onerror=alert(1)>',
    text: '<script>alert(1)</script>\njavascript:alert(1) https://ok.example/"onmouseover=alert(1)',
    html,
  })
  const browser = openBrowser()
  for (const path of ['/mail', `/mail/${id}`]) {
    const page = await browser.open(`${world.counties}${path}`)
    t.notRegex(page.html, /<img|<script|evil\.example"|<meta http-equiv/)
    t.regex(page.headers.get('content-security-policy') ?? '', /default-src 'none'/)
    for (const a of page.document.querySelectorAll('a')) {
      t.regex(a.getAttribute('href') ?? '', /^(\/|https:\/\/ok\.example\/$)/)
      t.is(a.getAttribute('onmouseover'), undefined)
    }
  }
  const frame = (await browser.open(`${world.counties}/mail/${id}`)).document.querySelector(
    'iframe',
  )
  const allowed = 'allow-popups allow-popups-to-escape-sandbox'
  t.is(frame?.getAttribute('sandbox'), allowed)
  const { headers } = await browser.open(`${world.counties}/mail/${id}/page`)
  const policy = headers.get('content-security-policy')?.split('; ') ?? []
  // Also for one who opens it in a tab of its own.
  t.true(policy.includes(`sandbox ${allowed}`))
  t.true(policy.includes("default-src 'none'"))
  t.true(policy.includes("form-action 'none'"))
  t.false(policy.some((one) => /script/.test(one)))
})

test('a stranger’s page can put nothing into it, and nonsense is refused', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const url = `${world.counties}/mail`
  const body = JSON.stringify({ id: 'x', mail: { to: 'a@b.tw', subject: 's', text: 't' } })
  // What a form or fetch may send across origins without being asked.
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body })
    t.is(answer.status, 400, type)
  }
  const json = { 'content-type': 'application/json' }
  for (const wrong of ['', '{', '[]', '{"id":"x"}', body.replace('"id"', '"more":1,"id"')]) {
    const answer = await fetch(url, { method: 'POST', headers: json, body: wrong })
    t.is(answer.status, 400, wrong)
  }
  const unsigned = { ...json, 'webhook-id': 'x', 'webhook-timestamp': String(at()) }
  const event = JSON.stringify({ type: 'mailbox.create', timestamp: 'now', data: {} })
  const forged = await fetch(`${world.counties}/provisioning/mailbox`, {
    method: 'POST',
    headers: { ...unsigned, 'webhook-signature': 'v1,AAAA' },
    body: event,
  })
  t.is(forged.status, 401)
  t.regex((await openBrowser().open(url)).html, /還沒有信[\s\S]*還沒有事件/)
})

test('a mailbox to be made is listed, where no receiver is connected', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const { store } = world.house
  const data = { account: 'wang@mail.edu.tw', name: '<b>王小明</b>' }
  const event = { receiver: 'mailbox', type: 'mailbox.create', data }
  await store.transaction((tables) => queueProvisioning(tables, event, { at: at() }))
  t.deepEqual(await eventually(() => store.outbox.list(), isEmpty), [])
  const page = await openBrowser().open(`${world.counties}/mail`)
  const row = page.document.querySelector('#events li')
  t.is(row?.querySelector('code')?.text, 'mailbox.create')
  t.regex(row?.querySelector('pre')?.text ?? '', /wang@mail\.edu\.tw/)
  t.is(row?.querySelector('b'), null)
})

test('with a mail server of the operator’s, mails go there, and the mailbox says so', async (t) => {
  const server = await openMailServer(t)
  const world = await buildWorld(t, {
    sandbox: true,
    env: { SMTP_URL: `smtp://127.0.0.1:${server.port}`, MAIL_FROM: 'id@example.gov.tw' },
  })
  await send(world, { to: 'ming@example.com', subject: 's', text: 't' })
  t.deepEqual(server.received[0]?.to, ['ming@example.com'])
  const page = await openBrowser().open(`${world.counties}/mail`)
  t.regex(page.html, /SMTP_URL/)
  t.is(page.document.querySelectorAll('#mails li').length, 0)
})

test('the index of the sandbox and the demo app lead to the mailbox', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const browser = openBrowser()
  const index = await browser.open(world.counties)
  t.truthy(index.document.querySelector('a[href="/mail"]'))
  const demo = await browser.open(world.demo)
  t.truthy(demo.document.querySelector(`footer a[href="${world.counties}/mail"]`))
})

test('a shelf keeps the newest, in as many slots as it has places, also when many come at once', async (t) => {
  const kept = new Map<string, string>()
  const memory = {
    get: async (key: string) => kept.get(key),
    set: async (key: string, value: string) => void kept.set(key, value),
  }
  const shelf = openShelf<{ id: string; n: number }>(memory, 'things', 5)
  await Promise.all(Array.from({ length: 12 }, (_, n) => shelf.put({ id: `${n}`, n })))
  await shelf.put({ id: '11', n: 99 })
  t.deepEqual(
    (await shelf.list()).map(({ n }) => n),
    [11, 10, 9, 8, 7],
  )
  t.is(kept.size, 6)
  t.is(await shelf.find('6'), undefined)
  t.like(await openShelf(memory, 'things', 5).find('7'), { n: 7 })
  await shelf.clear()
  t.deepEqual(await shelf.list(), [])
  t.false([...kept.values()].some((value) => value.includes('"n"')))
  await shelf.put({ id: 'again', n: 1 })
  t.is((await shelf.list()).length, 1)
})
