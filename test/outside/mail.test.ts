import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { readSender } from '#lib/mail.ts'
import { openMail } from '#outside/mail.ts'
import { openMailServer } from '../helpers/mail-server.ts'
import { isOverBefore } from '../helpers/overtaking.ts'

const from = { name: '教育雲', address: 'id@example.gov.tw' }
const mail = {
  to: 'wang@mail.edu.tw',
  subject: '重設密碼',
  text: '請開啟 https://id.example/reset/1',
}
const now = () => Date.UTC(2026, 10, 21, 8)

/** The header's value, long lines put together again. */
const header = (raw: string, name: string) =>
  new RegExp(`^${name}: (.*(?:\\r\\n[ \\t].*)*)`, 'im').exec(raw)?.[1]?.replaceAll(/\r\n\s+/g, ' ')

test('a mail arrives with our name, its text and page, and asks for no automatic answer', async (t) => {
  const { port, received } = await openMailServer(t)
  const url = `smtp://citygate:a%20secret@127.0.0.1:${port}`
  const send = openMail({ url, from }, now)
  const sent = await send({ ...mail, html: '<p>請開啟</p>' }, 'one')
  t.like(sent, { kind: 'delivered' })
  t.regex(sent.answer ?? '', /^250 .*taken as number 7/)
  const [got] = received
  t.like(got, { from: 'id@example.gov.tw', to: ['wang@mail.edu.tw'], user: 'citygate' })
  const raw = got?.raw ?? ''
  t.is(header(raw, 'Message-ID'), '<one@example.gov.tw>')
  t.is(header(raw, 'To'), 'wang@mail.edu.tw')
  t.regex(header(raw, 'From') ?? '', /^=\?UTF-8\?.*\?= <id@example\.gov\.tw>$/)
  t.is(header(raw, 'Date'), 'Sat, 21 Nov 2026 08:00:00 +0000')
  t.is(header(raw, 'Auto-Submitted'), 'auto-generated')
  t.regex(header(raw, 'Content-Type') ?? '', /^multipart\/alternative/)
  t.true(raw.includes(Buffer.from('<p>請開啟</p>').toString('base64')) || /=E8=AB=8B/.test(raw))
})

test('the same message tried twice has one Message-ID', async (t) => {
  const { port, received } = await openMailServer(t)
  const send = openMail({ url: `smtp://127.0.0.1:${port}`, from }, now)
  await send(mail, 'same')
  await send(mail, 'same')
  const ids = received.map(({ raw }) => header(raw, 'Message-ID'))
  t.deepEqual(ids, ['<same@example.gov.tw>', '<same@example.gov.tw>'])
})

test('nothing a person typed becomes a header line or another recipient', async (t) => {
  const { port, received } = await openMailServer(t)
  const send = openMail({ url: `smtp://127.0.0.1:${port}`, from }, now)
  const wrong = [
    'wang@mail.edu.tw\r\nBcc: all@mail.edu.tw',
    'wang@mail.edu.tw, all@mail.edu.tw',
    'wang@mail.edu.tw;all@mail.edu.tw',
    '"all@mail.edu.tw x"@evil.example',
    'Wang <wang@mail.edu.tw>',
    'wang@mail.edu.tw\0',
    'wang@@mail.edu.tw',
    'wang',
    `${'a'.repeat(65)}@mail.edu.tw`,
    `a@${'a.'.repeat(200)}tw`,
    '',
  ]
  for (const to of wrong) {
    t.deepEqual(await send({ ...mail, to }, 'x'), {
      kind: 'refused',
      why: 'that is no mail address',
    })
  }
  t.deepEqual(received, [])
  const subject = '王小明\r\nBcc: all@mail.edu.tw\r\n\r\nbody'
  t.is((await send({ ...mail, subject, text: '.\r\nQUIT\r\n' }, 'x')).kind, 'delivered')
  const [got] = received
  t.deepEqual(got?.to, ['wang@mail.edu.tw'])
  t.is(header(got?.raw ?? '', 'Bcc'), undefined)
})

test('a file or an address in the place of a text is not read', async (t) => {
  const { port, received } = await openMailServer(t)
  const send = openMail({ url: `smtp://127.0.0.1:${port}`, from }, now)
  const text = { path: '/etc/passwd' } as unknown as string
  t.not((await send({ ...mail, text }, 'x')).kind, 'delivered')
  t.deepEqual(received, [])
})

test('a server that says no for good is told from one that says not now', async (t) => {
  const says = async (responseCode: number) => {
    const { port } = await openMailServer(t, {
      onRcptTo: (_address, _session, done) =>
        done(Object.assign(new Error('<wang@mail.edu.tw> is not here'), { responseCode })),
    })
    return openMail({ url: `smtp://127.0.0.1:${port}`, from }, now)(mail, 'x')
  }
  const gone = await says(550)
  t.like(gone, { kind: 'refused', why: 'the mail server answered 550' })
  t.regex(gone.answer ?? '', /is not here/)
  t.like(await says(451), { kind: 'failed', why: 'the mail server answered 451' })
})

test('a wrong password, a server that is gone and one that says nothing are failures of ours, in words', async (t) => {
  const { port, received } = await openMailServer(t)
  const at = (url: string, signal?: AbortSignal) => openMail({ url, from }, now)(mail, 'x', signal)
  const wrong = await at(`smtp://citygate:wrong@127.0.0.1:${port}`)
  t.like(wrong, { kind: 'failed', why: 'the mail server did not take our user and password' })
  t.notRegex(JSON.stringify(wrong), /wrong"|citygate:wrong/)
  t.like(await at('smtp://127.0.0.1:9'), {
    kind: 'failed',
    why: 'the mail server could not be reached',
  })
  t.deepEqual(received, [])

  const mute = createServer(() => {})
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', () => resolve()))
  t.teardown(() => mute.close())
  const { port: mutePort } = mute.address() as AddressInfo
  const sent = at(`smtp://127.0.0.1:${mutePort}`, AbortSignal.timeout(300))
  t.true(await isOverBefore(sent, sleep(2_000)))
  await t.throwsAsync(sent, { name: 'TimeoutError' })
})

test('to another machine nothing goes without TLS, not even where the server offers none', async (t) => {
  const plain = await openMailServer(t)
  // Another spelling of 127.0.0.1 stands for another machine here: only the known names are trusted to be this one.
  const send = (port: number) =>
    openMail({ url: `smtp://citygate:a%20secret@0x7f.1:${port}`, from }, now)(mail, 'x')
  const outcome = await send(plain.port)
  t.like(outcome, { kind: 'failed', why: 'no safe connection to the mail server' })
  // With a certificate nobody vouches for.
  const forged = await openMailServer(t, { disabledCommands: [] })
  t.like(await send(forged.port), {
    kind: 'failed',
    why: 'the mail server’s certificate is not one we trust',
  })
  t.deepEqual([...plain.received, ...forged.received], [])
})

test('whom mails come from is one address, with a name or without', (t) => {
  t.deepEqual(readSender('id@example.gov.tw'), { address: 'id@example.gov.tw' })
  t.deepEqual(readSender('教育雲 <id@example.gov.tw>'), from)
  for (const wrong of [
    '教育雲',
    'a <b>',
    '"x" <id@example.gov.tw>',
    'a\r\nBcc: x <id@b.tw>',
    '<>',
  ]) {
    t.is(readSender(wrong), undefined, wrong)
  }
})
