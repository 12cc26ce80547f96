import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { isPublicAddress } from '#outside/addresses.ts'
import {
  checkedLookup,
  OutboundError,
  type OutboundOptions,
  openGuardedFetch,
  sharedLookup,
} from '#outside/fetch.ts'
import { isOverBefore } from '../helpers/overtaking.ts'

/** A real server and a client that may call it. */
async function serve(t: ExecutionContext, listener: RequestListener, options?: OutboundOptions) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, fetch: openGuardedFetch({ allow: [origin], ...options }) }
}

/** A port of ours that counts who knocks, on IPv4 and, where there is one, IPv6. */
async function listen(t: ExecutionContext) {
  const seen = { connections: 0 }
  const server = createTcpServer((socket) => {
    seen.connections++
    socket.destroy()
  })
  server.listen(0, '::')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { seen, port: (server.address() as AddressInfo).port }
}

const codeOf = async (call: Promise<unknown>) => {
  try {
    await call
    return 'no error'
  } catch (error) {
    return error instanceof OutboundError ? error.code : `not ours: ${error}`
  }
}

const words: RequestListener = (_, response) => response.end('{"ok":true}')

test('an allowed origin is called as asked and its answer is a plain Response', async (t) => {
  const { origin, fetch } = await serve(t, async (request, response) => {
    const body = await Array.fromAsync(request)
    response.writeHead(201, { 'x-seen': `${request.method} ${request.headers['x-sent']}` })
    response.end(`${request.headers['content-type']} ${Buffer.concat(body)}`)
  })
  const answer = await fetch(`${origin}/token`, {
    method: 'POST',
    headers: { 'x-sent': 'yes' },
    body: new URLSearchParams({ a: '1' }),
  })
  t.true(answer instanceof Response)
  t.is(answer.status, 201)
  t.is(answer.headers.get('x-seen'), 'POST yes')
  t.is(await answer.text(), 'application/x-www-form-urlencoded;charset=UTF-8 a=1')
})

test("a caller's own dispatcher has no say", async (t) => {
  const { origin, fetch } = await serve(t, words)
  const dispatcher = { dispatch: () => t.fail('the foreign dispatcher was used') }
  const init = { dispatcher, headers: new Headers({ 'user-agent': '' }) } as RequestInit
  t.deepEqual(await (await fetch(origin, init)).json(), { ok: true })
})

test('every way to write an address inside is refused without a connection', async (t) => {
  const { seen, port } = await listen(t)
  const hosts = [
    '127.0.0.1',
    '[::1]',
    '[::ffff:7f00:1]',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[::]',
    '0.0.0.0',
    '0',
    '0177.1',
    '0x7f.1',
    '2130706433',
    '127.1',
    '127.0.0.1.',
    '169.254.169.254',
    '10.0.0.1',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fe80::1]',
    '[fd00::1]',
    'localhost',
  ]
  // On 443 and 8443 the address alone must be enough to refuse.
  for (const host of hosts) {
    const fetch = openGuardedFetch()
    t.is(await codeOf(fetch(`https://${host}/`)), 'blocked', host)
    t.is(await codeOf(fetch(`https://${host}:8443/`)), 'blocked', `${host}:8443`)
    t.is(await codeOf(fetch(`https://${host}:${port}/`)), 'blocked', `${host}:${port}`)
    t.is(await codeOf(fetch(`http://${host}:${port}/`)), 'blocked', `http ${host}`)
  }
  t.is(seen.connections, 0)
})

test('an IPv6 zone, userinfo, another scheme or an odd port is refused before any look-up', async (t) => {
  const asked: string[] = []
  const fetch = openGuardedFetch({
    allow: ['http://localhost:3002'],
    lookup: async (name) => {
      asked.push(name)
      return []
    },
  })
  for (const url of [
    'http://county.example/',
    'https://county.example:22/',
    'https://county.example:80/',
    'https://user@county.example/',
    'https://user:secret@county.example/',
    'http://user:secret@localhost:3002/',
    'http://localhost:3003/',
    'https://localhost:3002/',
    'https://[fe80::1%25eth0]/',
    'gopher://county.example/',
    'file:///etc/passwd',
    'data:text/plain,hello',
    'not a url',
  ]) {
    t.is(await codeOf(fetch(url)), 'blocked', url)
  }
  t.deepEqual(asked, [])
})

test('a name that leads inside is refused without a connection, also among public addresses', async (t) => {
  const server = createTcpServer(() => t.fail('somebody connected'))
  server.listen(8443, '127.0.0.1')
  const listening = await Promise.race([
    once(server, 'listening').then(() => true),
    once(server, 'error').then(() => false),
  ])
  t.teardown(() => server.close())
  if (!listening) t.log('port 8443 is taken: only the refusal itself is checked')
  for (const addresses of [
    ['127.0.0.1'],
    ['93.184.215.14', '127.0.0.1'],
    ['127.0.0.1', '93.184.215.14'],
    ['2606:2800:21f:cb07::1', '::1'],
    ['::ffff:127.0.0.1'],
    ['64:ff9b::7f00:1'],
    ['192.168.1.1'],
    [],
  ]) {
    const fetch = openGuardedFetch({
      lookup: async () => addresses.map((a) => ({ address: a, family: a.includes(':') ? 6 : 4 })),
    })
    t.is(await codeOf(fetch('https://county.example:8443/')), 'blocked', addresses.join())
  }
})

test('an address that may be called over http leads inside no more than others', async (t) => {
  const asked: string[] = []
  const { seen, port } = await listen(t)
  const fetch = openGuardedFetch({
    plain: ({ host }) => [`old.example`, `old.example:8080`, `127.0.0.1:${port}`].includes(host),
    lookup: async (name) => {
      asked.push(name)
      return [{ address: '127.0.0.1', family: 4 }]
    },
  })
  for (const url of ['http://old.example/', 'http://old.example:8080/', 'https://old.example/'])
    t.is(await codeOf(fetch(url)), 'blocked', url)
  t.is(asked.length, 3)
  for (const url of [
    `http://127.0.0.1:${port}/`,
    'http://old.example:81/',
    'http://new.example/',
    'ftp://old.example/',
    'https://old.example:8080/',
  ])
    t.is(await codeOf(fetch(url)), 'blocked', url)
  t.is(asked.length, 3)
  t.is(seen.connections, 0)
})

test('the connection goes to the very addresses that were checked', async (t) => {
  const asked: string[] = []
  const addresses = [
    { address: '140.111.1.1', family: 4 },
    { address: '2001:288::1', family: 6 },
  ]
  const lookup = checkedLookup(async (name) => {
    asked.push(name)
    return addresses
  })
  const found = (all: boolean) =>
    new Promise<unknown[]>((resolve) =>
      lookup('county.example', { all }, (...answer) => resolve(answer)),
    )
  t.deepEqual(await found(true), [null, addresses])
  t.deepEqual(await found(false), [null, '140.111.1.1', 4])
  t.deepEqual(asked, ['county.example', 'county.example'])
})

test('refused, closed and silent all read the same', async (t) => {
  const closed = await serve(t, words)
  const { origin, fetch } = await serve(t, () => {}, { totalMs: 200, allow: [closed.origin] })
  const texts = await Promise.all(
    [
      fetch('https://127.0.0.1/'),
      openGuardedFetch({ allow: ['http://127.0.0.1:1'] })('http://127.0.0.1:1/'),
      openGuardedFetch({ allow: [origin], totalMs: 200 })(origin),
    ].map((call) =>
      call.then(
        () => 'answered',
        (e: Error) => e.message,
      ),
    ),
  )
  t.deepEqual(new Set(texts).size, 1)
  t.is(texts[0], 'the outbound request failed')
})

test('a closed port is unreachable', async (t) => {
  const fetch = openGuardedFetch({ allow: ['http://127.0.0.1:1'] })
  t.is(await codeOf(fetch('http://127.0.0.1:1/')), 'unreachable')
})

test('a redirect is handed back, not followed', async (t) => {
  const paths: (string | undefined)[] = []
  const { origin, fetch } = await serve(t, (request, response) => {
    paths.push(request.url)
    response.writeHead(302, { location: '/inside' }).end()
  })
  const answer = await fetch(`${origin}/start`, { redirect: 'follow' })
  t.is(answer.status, 302)
  t.is(answer.headers.get('location'), '/inside')
  t.deepEqual(paths, ['/start'])
})

test('a gzip answer nobody asked for is read, and the Response forgets the encoding', async (t) => {
  const { origin, fetch } = await serve(t, (_, response) => {
    const body = gzipSync('{"titles":["教師"]}')
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.length }).end(body)
  })
  const answer = await fetch(origin, { headers: { 'accept-encoding': 'identity' } })
  t.deepEqual(await answer.json(), { titles: ['教師'] })
  t.is(answer.headers.get('content-encoding'), null)
  t.is(answer.headers.get('content-length'), null)
})

test('a body of exactly the limit passes and one byte more does not', async (t) => {
  const { origin, fetch } = await serve(
    t,
    (request, response) => response.end('x'.repeat(Number(request.url?.slice(1)))),
    { bodyBytes: 1000 },
  )
  t.is((await (await fetch(`${origin}/1000`)).text()).length, 1000)
  t.is(await codeOf(fetch(`${origin}/1001`)), 'too-large')
})

test('256 kB is the limit, and a gzip bomb counts unpacked', async (t) => {
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  t.true(bomb.length < 256 * 1024)
  const { origin, fetch } = await serve(t, (_, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
  )
  t.is(await codeOf(fetch(origin)), 'too-large')
})

test('broken gzip is a failure, not half an answer', async (t) => {
  const { origin, fetch } = await serve(t, (_, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end('<html>'),
  )
  t.is(await codeOf(fetch(origin)), 'unreachable')
})

test('a server that says nothing is left after the time limit', async (t) => {
  const { origin, fetch } = await serve(t, () => {}, { totalMs: 200 })
  const code = codeOf(fetch(origin))
  t.true(await isOverBefore(code, sleep(1_500)))
  t.is(await code, 'timeout')
})

test('a server that trickles is left after the time limit, gzip or not', async (t) => {
  const timers: NodeJS.Timeout[] = []
  t.teardown(() => timers.forEach(clearInterval))
  const zipped = gzipSync('x'.repeat(10_000))
  const { origin, fetch } = await serve(
    t,
    (request, response) => {
      response.writeHead(200, request.url === '/gzip' ? { 'content-encoding': 'gzip' } : {})
      let at = 0
      timers.push(setInterval(() => response.write(zipped.subarray(at, ++at)), 20))
    },
    { totalMs: 300 },
  )
  for (const path of ['/plain', '/gzip']) {
    const code = codeOf(fetch(origin + path))
    t.true(await isOverBefore(code, sleep(1_500)))
    t.is(await code, 'timeout', path)
  }
})

test('a name server that never answers costs no more than the time limit', async (t) => {
  const fetch = openGuardedFetch({ totalMs: 200, lookup: () => new Promise(() => {}) })
  const code = codeOf(fetch('https://county.example/'))
  t.true(await isOverBefore(code, sleep(1_500)))
  t.is(await code, 'timeout')
})

test("a caller's own signal ends the call with the caller's own reason", async (t) => {
  const { origin, fetch } = await serve(t, () => {})
  const error = await t.throwsAsync(fetch(origin, { signal: AbortSignal.timeout(100) }), {
    any: true,
  })
  t.is((error as DOMException).name, 'TimeoutError')
})

test('an empty answer stays empty', async (t) => {
  const { origin, fetch } = await serve(t, (_, response) => response.writeHead(204).end())
  const answer = await fetch(origin)
  t.is(answer.status, 204)
  t.is(answer.body, null)
})

test('only globally reachable addresses are public', (t) => {
  for (const address of ['8.8.8.8', '140.111.1.1', '2001:4860:4860::8888', '2606:4700::1']) {
    t.true(isPublicAddress(address), address)
  }
  for (const address of [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::8.8.8.8',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:808:808::1',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'county.example',
    '',
  ]) {
    t.false(isPublicAddress(address), address)
  }
})

test('a name is asked for once at a time: a silent name server holds one thread, not all', async (t) => {
  const asked: string[] = []
  let answer = (_: LookupAddress[]) => {}
  const lookup = sharedLookup((hostname) => {
    asked.push(hostname)
    if (hostname === 'quick.example') return Promise.resolve([{ address: '192.0.2.1', family: 4 }])
    return new Promise((resolve) => {
      answer = resolve
    })
  })
  const waiting = Array.from({ length: 50 }, () => lookup('silent.example'))
  t.is((await lookup('quick.example')).length, 1)
  t.deepEqual(asked, ['silent.example', 'quick.example'])
  answer([])
  await Promise.all(waiting)
  void lookup('silent.example')
  t.is(asked.length, 3, 'what was answered is asked anew')
})
