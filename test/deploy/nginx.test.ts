/** The configuration of nginx, in a real nginx in front of a real Citygate, and of instances that die. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { invitationPath } from '#admin/staff/inviting.ts'
import { linkPaths } from '#http/link-paths.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { ensurePackages, peerPackages } from '../helpers/debian.ts'
import { freePort } from '../helpers/free-port.ts'
import { buildWorld } from '../helpers/world.ts'
import { read } from './shapes.ts'

const name = 'id.example.gov.tw'

test.before('Debian has nginx', async (t) => {
  t.timeout(300_000)
  await ensurePackages(peerPackages.nginx)
})

/** What an operator adapts, adapted; each must be there as often as we say. */
function adapt(changes: [from: RegExp, to: string, times: number][]): string {
  return changes.reduce((text, [from, to, times]) => {
    const found = text.match(from)?.length ?? 0
    if (found !== times) throw new Error(`${from} is there ${found} times, not ${times}`)
    return text.replaceAll(from, to)
  }, read('deploy/nginx/citygate.conf'))
}

/** Starts nginx on ports of its own in front of two instances. */
async function startNginx(t: ExecutionContext, instances: [number, number]) {
  const folder = temporaryFolder(t)
  const [http, https] = await Promise.all([freePort(), freePort()])
  const tls = join(folder, 'tls')
  mkdirSync(tls)
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-days', '1', '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`],
    ...['-keyout', join(tls, 'privkey.pem'), '-out', join(tls, 'fullchain.pem')],
  ])
  if (made.status !== 0) throw new Error(String(made.stderr))
  const site = adapt([
    [/citygate-1:3000/g, `127.0.0.1:${instances[0]}`, 1],
    [/citygate-2:3000/g, `127.0.0.1:${instances[1]}`, 1],
    [/^ +listen \[::\]:.*\n/gm, '', 3],
    [/listen 80 /g, `listen 127.0.0.1:${http} `, 1],
    [/listen 443 /g, `listen 127.0.0.1:${https} `, 2],
    [/\/etc\/nginx\/tls/g, tls, 2],
    [/\/var\/log\/nginx/g, folder, 2],
  ])
  writeFileSync(join(folder, 'site.conf'), site)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    [
      ...(process.getuid?.() === 0 ? ['user root;'] : []),
      'daemon off;',
      'worker_processes 1;',
      `pid ${folder}/pid;`,
      'events { worker_connections 256; }',
      'http {',
      ...temporary.map((one) => `  ${one}_temp_path ${folder}/${one};`),
      `  include ${folder}/site.conf;`,
      '}',
      '',
    ].join('\n'),
  )
  const args = ['-p', folder, '-c', file, '-e', join(folder, 'start.log')]
  const checked = spawnSync('nginx', ['-t', ...args], { encoding: 'utf8' })
  const nginx = spawn('nginx', args, { stdio: 'ignore' })
  const ended = once(nginx, 'exit')
  t.teardown(async () => {
    nginx.kill()
    await ended
  })

  /** As a browser would ask for https://id.example.gov.tw. */
  function ask(path: string, { host = name, method = 'GET', headers = {}, body = '' } = {}) {
    return new Promise<IncomingMessage & { text: string }>((resolve, reject) => {
      const asked = request(
        {
          ...{ host: '127.0.0.1', port: https, servername: host, rejectUnauthorized: false },
          ...{ path, method, headers: { host, ...headers }, agent: false },
        },
        async (answer) => {
          let text = ''
          try {
            for await (const chunk of answer) text += chunk
            resolve(Object.assign(answer, { text }))
          } catch (error) {
            reject(error)
          }
        },
      )
      asked.on('error', reject).end(body)
    })
  }
  for (let tries = 0; tries < 1_200; tries++) {
    const listens = await fetch(`http://127.0.0.1:${http}/nginx-health`).catch(() => undefined)
    if (listens?.status === 204) break
    await wait(25)
  }
  const log = () => readFileSync(join(folder, 'access.log'), 'utf8')
  return { checked, http, ask, log }
}

/** Stands where an instance would and behaves as a dying one does; tells what reached it. */
async function startInstance(t: ExecutionContext, answer: RequestListener) {
  const heard: { method?: string; headers: IncomingMessage['headers'] }[] = []
  const server = createServer((incoming, outgoing) => {
    heard.push({ method: incoming.method, headers: incoming.headers })
    answer(incoming, outgoing)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { heard, port: (server.address() as AddressInfo).port }
}
const well: RequestListener = (_, answer) => answer.end('well')
const dies: RequestListener = (incoming) => incoming.socket.destroy()

test('nginx finds nothing wrong with it', async (t) => {
  const { checked } = await startNginx(t, [1, 1])
  t.is(checked.status, 0, checked.stderr)
  t.notRegex(checked.stderr, /\[(warn|emerg|alert|crit|error)\]/)
})

test('people reach Citygate by its name, and by no other', async (t) => {
  const world = await buildWorld(t, { env: { ISSUER: `https://${name}` } })
  const { ask, http } = await startNginx(t, [world.ports[0], await freePort()])
  const page = await ask('/')
  t.is(page.statusCode, 200)
  t.truthy(page.headers['strict-transport-security'])
  t.is(page.headers['strict-transport-security']?.split(',').length, 1, 'said once, by the program')
  t.is(page.headers.server, 'nginx', 'without its version')
  const discovery = await ask('/.well-known/openid-configuration')
  t.is(JSON.parse(discovery.text).issuer, `https://${name}`)

  await t.throwsAsync(ask('/', { host: 'evil.example' }), { message: /handshake|alert/i })
  const plain = await fetch(`http://127.0.0.1:${http}/auth?client_id=a`, { redirect: 'manual' })
  t.is(plain.status, 301)
  t.is(plain.headers.get('location'), `https://${name}/auth?client_id=a`)
})

test('what is too large stops here, what the program takes gets through', async (t) => {
  const world = await buildWorld(t, { env: { ISSUER: `https://${name}` } })
  const { ask } = await startNginx(t, [world.ports[0], world.ports[0]])
  const post = (size: number, path = '/token') =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `grant_type=${'a'.repeat(size)}`,
    })
  const refused = await post(70_000)
  t.is(refused.statusCode, 413)
  t.regex(refused.headers['content-type'] ?? '', /^text\/html/)
  t.regex(refused.text, /送出的內容太多.*上一頁.*Too much was sent.*go back/s)
  for (const path of [
    '/admin/clients/new',
    '/account/profile/picture',
    '/join/member',
    '/joining/x/y',
  ]) {
    const own = await post(6_000_000, path)
    t.regex(own.text, /id="problem-title"/, `${path} is answered by the program`)
  }
  t.is(
    (await post(2_000_000, '/api/v1/client-files')).headers['content-type'],
    'application/problem+json',
  )
  t.is((await post(60_000)).statusCode, 400, 'the program’s own answer')
  t.is((await ask('/', { headers: { cookie: `a=${'b'.repeat(14_000)}` } })).statusCode, 200)
})

test('nginx lets go of a connection before the program does', async (t) => {
  const world = await buildWorld(t)
  const answer = await fetch(`http://127.0.0.1:${world.ports[0]}/health/live`)
  const [, kept] = /timeout=(\d+)/.exec(answer.headers.get('keep-alive') ?? '') ?? []
  const [, used] = /^ {4}keepalive_timeout (\d+)s;/m.exec(read('deploy/nginx/citygate.conf')) ?? []
  t.true(Number(used) < Number(kept), `${used} s, ${kept} s`)
})

test('nobody outside asks how the instances are', async (t) => {
  const world = await buildWorld(t, { env: { ISSUER: `https://${name}` } })
  const { ask } = await startNginx(t, [world.ports[0], world.ports[0]])
  t.is((await ask('/health/ready')).statusCode, 404)
})

test('while one instance is away, every request is answered by the other, POSTs too', async (t) => {
  const alive = await startInstance(t, well)
  const { ask } = await startNginx(t, [await freePort(), alive.port])
  for (const method of ['GET', 'POST', 'GET', 'POST', 'GET', 'POST']) {
    t.is((await ask('/token', { method, body: method === 'POST' ? 'a=b' : '' })).text, 'well')
  }
})

test('an instance that dies over a GET hands it to the other; a POST is never sent twice', async (t) => {
  const instances = [await startInstance(t, dies), await startInstance(t, dies)] as const
  const { ask } = await startNginx(t, [instances[0].port, instances[1].port])
  const heard = () => instances.flatMap((one) => one.heard.map(({ method }) => method))
  t.is((await ask('/token', { method: 'POST', body: 'code=once' })).statusCode, 502)
  t.deepEqual(heard(), ['POST'])
  await ask('/auth')
  t.deepEqual(heard().sort(), ['GET', 'GET', 'POST'])
})

test('the program hears who asks, with what the client claimed to its left', async (t) => {
  const { port, heard } = await startInstance(t, well)
  const { ask } = await startNginx(t, [port, port])
  await ask('/', { headers: { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' } })
  const [first] = heard
  t.like(first?.headers, {
    host: name,
    'x-forwarded-for': '203.0.113.9, 127.0.0.1',
    'x-forwarded-proto': 'https',
  })
  t.is(first?.headers.forwarded, undefined)
})

test('the log has no code, state or token in it', async (t) => {
  const { port } = await startInstance(t, well)
  const { ask, log } = await startNginx(t, [port, port])
  await ask('/upstream/ntpc/callback?code=secret-code&state=secret-state', {
    headers: { referer: `https://${name}/?code=secret-code` },
  })
  for (let tries = 0; tries < 1_500 && log() === ''; tries++) await wait(20)
  t.regex(log(), /"GET \/upstream\/ntpc\/callback HTTP\/1\.1" 200/)
  const links = [...Object.values(linkPaths), invitationPath]
  for (const path of links) await ask(`${path}/secret-token`)
  await ask(`${invitationPath}/secret-token/join`, { method: 'POST' })
  const written = (path: string) => log().includes(`${path}/- HTTP/1.1`)
  for (let tries = 0; tries < 1_500 && !links.every(written); tries++) await wait(20)
  t.deepEqual(
    links.filter((path) => !written(path)),
    [],
  )
  t.notRegex(log(), /secret/)
})
