import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import Koa from 'koa'
import type { Context } from '#http/context.ts'
import { type Files, formToken, readForm, readUploads } from '#http/input.ts'
import { Problem } from '#http/problem.ts'

const key = Buffer.alloc(32, 3)
const device = 'device-of-this-browser'
const token = formToken(key, device)

const kB = 1024
const MB = 1024 * kB

type Answer = {
  status: number
  problem?: string
  fields?: Record<string, string>
  files?: Record<
    string,
    { size?: number; first?: number; name: string; type?: string; tooLarge?: true }
  >
}

const told = (files: Files) =>
  Object.entries(files).map(([field, file]) =>
    'bytes' in file
      ? [field, { size: file.bytes.length, first: file.bytes[0], name: file.name, type: file.type }]
      : [field, file],
  )

/** A server that tells what it read. `/fields` asks for no files. */
async function openServer(t: ExecutionContext) {
  const app = new Koa()
  app.silent = true
  let most = 0
  let reading = 0
  app.use(async (koa) => {
    const ctx = koa as unknown as Context
    ctx.state.device = device
    ctx.state.deviceKnown = ctx.get('x-device') !== 'unknown'
    reading++
    try {
      if (ctx.path === '/fields') ctx.body = { fields: await readForm(ctx, key) }
      else {
        const { fields, files } = await readUploads(ctx, key)
        ctx.body = { fields, files: Object.fromEntries(told(files)) }
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      ctx.status = error.status
      ctx.body = { problem: error.key }
    } finally {
      reading--
    }
    most = Math.max(most, process.memoryUsage().arrayBuffers)
  })
  const server = app.listen(0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  async function post(body: BodyInit, headers: Record<string, string> = {}, path = '/') {
    const sent = { method: 'POST', body, headers, duplex: 'half' }
    const response = await fetch(url + path, sent as RequestInit)
    const answer = (await response.json()) as Omit<Answer, 'status'>
    return { status: response.status, ...answer }
  }
  return { port, url, post, most: () => most, reading: () => reading }
}

function formOf(fields: Record<string, string | Blob | File> = {}) {
  const form = new FormData()
  form.set('form_token', token)
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  return form
}

const file = (bytes: number, name = 'me.jpg') =>
  new File([Buffer.alloc(bytes, 7)], name, { type: 'image/jpeg' })

/** A body written by hand, each part with its header lines. */
const raw = (parts: [header: string, body: string][], end = '--x--\r\n') => ({
  body: `${parts.map(([header, body]) => `--x\r\n${header}\r\n\r\n${body}\r\n`).join('')}${end}`,
  headers: { 'content-type': 'multipart/form-data; boundary=x' },
})
const field = (name: string, value = ''): [string, string] => [
  `Content-Disposition: form-data; name="${name}"`,
  value,
]

test.serial('fields and files arrive as they were sent', async (t) => {
  const { post } = await openServer(t)
  const picture = file(3000, '我的照片.jpg')
  const answer = await post(formOf({ nickname: '小明\r\n與 é', picture, empty: '' }))
  t.deepEqual(answer, {
    status: 200,
    fields: { form_token: token, nickname: '小明\n與 é', empty: '' },
    files: { picture: { size: 3000, first: 7, name: '我的照片.jpg', type: 'image/jpeg' } },
  })
})

test.serial('a form without files is the same in either encoding', async (t) => {
  const { post } = await openServer(t)
  const values = { name: '王小明', note: 'a=b&c' }
  const fields = { form_token: token, ...values }
  const multipart = await post(formOf(values))
  const urlencoded = await post(new URLSearchParams(fields))
  t.deepEqual(multipart, { status: 200, fields, files: {} })
  t.deepEqual(urlencoded, multipart)
  t.deepEqual(await post(formOf({ ...values, picture: file(10) }), {}, '/fields'), {
    status: 200,
    fields,
  })
})

test.serial('a file field left empty is absent, a file without content is not', async (t) => {
  const { post } = await openServer(t)
  const untouched = new File([], '', { type: 'application/octet-stream' })
  t.deepEqual((await post(formOf({ picture: untouched }))).files, {})
  const empty = (await post(formOf({ picture: new File([], 'me.jpg', { type: 'image/jpeg' }) })))
    .files
  t.like(empty, { picture: { size: 0, name: 'me.jpg' } })
})

test.serial('what a file is called is for showing only', async (t) => {
  const { post } = await openServer(t)
  const nameOf = async (name: string) =>
    (await post(formOf({ picture: file(1, name) }))).files?.picture?.name
  t.is(await nameOf('../../etc/passwd'), 'passwd')
  t.is(await nameOf('C:\\Users\\wang\\me.jpg'), 'me.jpg')
  t.is(await nameOf('gpj.\u202eexe.jpg'), 'gpj. exe.jpg')
  t.is((await nameOf('長'.repeat(300)))?.length, 60)
})

test.serial('a form that is not ours is refused, whatever it carries', async (t) => {
  const { post } = await openServer(t)
  const without = formOf({ picture: file(100) })
  without.delete('form_token')
  t.like(await post(without), { status: 403, problem: 'forbidden' })
  const wrong = formOf()
  wrong.set('form_token', formToken(key, 'another browser'))
  t.like(await post(wrong), { status: 403, problem: 'forbidden' })
  t.like(await post(formOf(), { 'sec-fetch-site': 'cross-site' }), { status: 403 })
  t.like(await post(formOf(), { 'x-device': 'unknown' }), { status: 403, problem: 'cookies' })
  const asFile = formOf()
  asFile.set('form_token', new File([token], 'token.txt'))
  t.like(await post(asFile), { status: 403, problem: 'forbidden' })
  t.like(await post('{}', { 'content-type': 'application/json' }), { status: 415 })
})

test.serial('a name that comes twice is refused, as a field, a file or both', async (t) => {
  const { post } = await openServer(t)
  for (const twice of [
    ['1', '2'],
    [file(1), file(2)],
    ['1', file(1)],
    [file(1), '1'],
  ] as const) {
    const form = formOf()
    for (const value of twice) form.append('picture', value)
    t.like(await post(form), { status: 400, problem: 'app.request' })
  }
})

test.serial('names that mean something to JavaScript are names like others', async (t) => {
  const { post } = await openServer(t)
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
  const form = formOf()
  for (const name of names) form.append(name, '{"polluted":1}')
  const { status, fields = {} } = await post(form)
  t.is(status, 200)
  t.deepEqual(Object.keys(fields).sort(), [...names, 'form_token'].sort())
  form.append('__proto__', 'again')
  t.like(await post(form), { status: 400, problem: 'app.request' })

  const withFile = formOf()
  withFile.append('__proto__', file(5))
  t.is((await post(withFile)).status, 200)
  t.false('polluted' in {})
})

test.serial('a file that is too large is marked, and what was typed is kept', async (t) => {
  const { post, most } = await openServer(t)
  const before = process.memoryUsage().arrayBuffers
  const form = formOf({ name: '王小明', exact: file(5 * MB), large: file(5 * MB + 1), after: 'x' })
  const answer = await post(form)
  t.is(answer.status, 200)
  t.like(answer.fields, { name: '王小明', after: 'x' })
  t.like(answer.files, { exact: { size: 5 * MB }, large: { tooLarge: true, name: 'me.jpg' } })
  t.true(most() - before < 60 * MB, `${(most() - before) / MB} MB`)
})

test.serial('more than twelve megabytes are refused, announced or not', async (t) => {
  const { post, url } = await openServer(t)
  t.like(await post(formOf({ a: file(5 * MB), b: file(5 * MB), c: file(3 * MB) })), {
    status: 413,
    problem: 'too-large',
  })
  async function* endless() {
    yield Buffer.from(`--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n`)
    for (let sent = 0; sent < 13; sent++) yield Buffer.alloc(MB, 7)
    yield Buffer.from('\r\n--x--\r\n')
  }
  const headers = { 'content-type': 'multipart/form-data; boundary=x' }
  const body = endless() as unknown as BodyInit
  t.like(await post(body, headers), { status: 413, problem: 'too-large' })
  const next = await fetch(url, { method: 'POST', body: formOf() })
  t.is(next.status, 200, 'and the server goes on')
})

test.serial('too many fields, files and too long fields are refused', async (t) => {
  const { post } = await openServer(t)
  const refused = { status: 413, problem: 'too-large' }
  const many = (count: number) =>
    formOf(Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, 'x'])))
  t.is((await post(many(199))).status, 200)
  t.like(await post(many(200)), refused)
  t.is((await post(formOf({ long: 'x'.repeat(64 * kB - 1) }))).status, 200)
  t.like(await post(formOf({ long: 'x'.repeat(64 * kB + 1) })), refused)
  const nine = Array.from({ length: 9 }, (_, n) => [`f${n}`, 'x'.repeat(60 * kB)])
  t.like(await post(formOf(Object.fromEntries(nine))), refused)
  const files = (count: number) =>
    formOf(Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, file(1)])))
  t.is((await post(files(3))).status, 200)
  t.like(await post(files(4)), refused)
})

test.serial('what is cut off or no form is refused', async (t) => {
  const { post } = await openServer(t)
  const incomplete = { status: 400, problem: 'incomplete' }
  const parts = [field('form_token', token), field('name', 'x')]
  const whole = raw(parts)
  t.is((await post(whole.body, whole.headers)).status, 200)
  const cases = {
    'no end': raw(parts, ''),
    'half an end': raw(parts, '--x'),
    'within a header': { ...whole, body: whole.body.slice(0, 30) },
    'within a file': raw(
      [...parts, ['Content-Disposition: form-data; name="f"; filename="f"', 'x']],
      '',
    ),
    nothing: { ...whole, body: '' },
    'another boundary': {
      ...whole,
      headers: { 'content-type': 'multipart/form-data; boundary=y' },
    },
    'no boundary': { ...whole, headers: { 'content-type': 'multipart/form-data' } },
    'a header without end': raw([[`Content-Disposition: ${'x'.repeat(100_000)}`, '']]),
    'a broken header': raw([['\0\0\0', '']]),
  }
  for (const [name, { body, headers }] of Object.entries(cases))
    t.like(await post(body, headers), incomplete, name)
})

test.serial('who goes away while sending leaves nobody waiting', async (t) => {
  const { port, post, reading } = await openServer(t)
  const head = [
    'POST / HTTP/1.1',
    'Host: 127.0.0.1',
    'Content-Type: multipart/form-data; boundary=x',
    'Content-Length: 100000',
    '',
    `--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nsome bytes`,
  ].join('\r\n')
  const sockets = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const socket = connect(port, '127.0.0.1').on('error', () => {})
      socket.write(head)
      await wait(50)
      return socket
    }),
  )
  t.is(reading(), 5)
  for (const socket of sockets) socket.destroy()
  for (let tries = 0; reading() > 0 && tries < 40; tries++) await wait(50)
  t.is(reading(), 0)
  t.is((await post(formOf({ picture: file(10) }))).status, 200)
})

test.serial('after a refusal the same connection serves the next request', async (t) => {
  const { port } = await openServer(t)
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let heard = ''
  socket.on('data', (chunk) => {
    heard += chunk
  })
  const body = Buffer.alloc(13 * MB, 7)
  socket.write(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: ${body.length}\r\n\r\n`,
  )
  socket.write(body)
  socket.write('GET /fields HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await new Promise((done) => socket.once('close', done))
  t.deepEqual(heard.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 413', 'HTTP/1.1 415'])
})
