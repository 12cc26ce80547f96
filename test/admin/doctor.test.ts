/** The doctor in a house that is well, and in houses where one thing is wrong. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Told } from '#admin/doctor/in-english.ts'
import { type DoctorPorts, examine } from '#admin/doctor.ts'
import type { Config } from '#config/load.ts'
import { openKeyEncryption } from '#oidc/key-encryption.ts'
import { openGuardedFetch } from '#outside/fetch.ts'
import { tryMailServer } from '#outside/mail.ts'
import { openDatabase } from '#store/database.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { freePort } from '../helpers/free-port.ts'
import { buildWorld, type World } from '../helpers/world.ts'

const root = join(import.meta.dirname, '..', '..')

function examineWorld(
  world: World,
  config: Partial<Config> = {},
  ports: Partial<DoctorPorts> = {},
) {
  const { house, counties } = world
  return examine(
    { ...house.config, ...config },
    {
      kek: house.keyEncryption,
      now: Date.now,
      messages: house.messages,
      fetch,
      guardedFetch: openGuardedFetch({ allow: [counties] }),
      ...ports,
    },
  )
}

const named = (findings: Told[], check: string) =>
  findings.find((finding) => finding.check === check)
const notWell = (findings: Told[]) => findings.filter(({ state }) => state !== 'ok')

async function listen(t: ExecutionContext, server: ReturnType<typeof createTcp>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/** Greets, and lets one in or not. */
const smtp = (login: '235 welcome' | '535 wrong') =>
  createTcp((socket) => {
    socket.on('error', () => {})
    socket.write('220 mail.example ESMTP\r\n')
    socket.on('data', (data) => {
      const [verb] = String(data).trim().split(' ')
      if (verb === 'EHLO') socket.write('250-mail.example\r\n250 AUTH PLAIN\r\n')
      else if (verb === 'AUTH') socket.write(`${login}\r\n`)
      else if (verb === 'QUIT') socket.end('221 bye\r\n')
      else socket.write('250 ok\r\n')
    })
  })

/** The pretend upstreams make their keys when they are first asked: not while the doctor looks at the clock. */
async function wake({ house }: World) {
  for (const connector of house.trips.connectors.values()) await connector.probe().catch(() => {})
}

test.serial('in a house that is well everything is, down to the mail server', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  await wake(world)
  const port = await listen(t, smtp('235 welcome'))
  const url = `smtp://id:secret@127.0.0.1:${port}`
  const before = await (await fetch(`${world.issuer}/jwks`)).text()
  const { findings, unchecked } = await examineWorld(
    world,
    {},
    { tryMailServer: () => tryMailServer({ url, from: { address: 'id@mail.example' } }) },
  )
  t.deepEqual(
    notWell(findings).filter(({ check }) => !check.startsWith('database ')),
    [],
  )
  for (const check of [
    'database',
    'schema',
    'keys',
    'issuer',
    'cookies',
    'clock',
    'disk',
    'mail',
  ]) {
    t.is(named(findings, check)?.state, 'ok', check)
  }
  const upstreams = findings.filter(({ check }) => check.startsWith('upstream '))
  t.is(upstreams.length, world.house.trips.connectors.size)
  t.true(unchecked.length > 0, 'it says what it cannot see')
  t.is(await (await fetch(`${world.issuer}/jwks`)).text(), before)
})

test.serial(
  'an upstream that is down or speaks nonsense is named, the others are well',
  async (t) => {
    const world = await buildWorld(t, { sandbox: true })
    await wake(world)
    await world.switchCounty('ntpc', 'down')
    const { connectors } = world.house.config
    const changed = connectors.map((one) =>
      one.id === 'kh' && one.type === 'oidc'
        ? { ...one, settings: { ...one.settings, issuer: `${one.settings.issuer}/` } }
        : one,
    )
    const { findings } = await examineWorld(world, { connectors: changed })
    t.like(named(findings, 'upstream ntpc'), { state: 'fail' })
    t.like(named(findings, 'upstream kh'), { state: 'fail' })
    t.regex(String(named(findings, 'upstream kh')?.mend), /settings\.issuer/)
    const upstreams = findings.filter(({ check }) => check.startsWith('upstream '))
    t.is(upstreams.filter(({ state }) => state === 'ok').length, upstreams.length - 2)
  },
)

test.serial(
  'an address where nobody listens, or another server does, or a proxy that spoils what we say',
  async (t) => {
    const world = await buildWorld(t)
    const free = `http://localhost:${await freePort()}`
    const nobody = named((await examineWorld(world, { issuer: free })).findings, 'issuer')
    t.like(nobody, { state: 'fail', mend: 'start the server, or the proxy before it' })

    const renamed = `http://127.0.0.1:${world.ports[0]}`
    const hidden = named((await examineWorld(world, { issuer: renamed })).findings, 'issuer')
    t.regex(String(hidden?.mend), /pass the Host header on unchanged/)

    let spoil = (_headers: Headers): string | undefined => undefined
    const [port] = world.ports
    const proxy = createServer(async (request, response) => {
      const answer = await fetch(`http://localhost:${port}${request.url}`, {
        redirect: 'manual',
      }).catch(() => undefined)
      if (!answer) return response.destroy()
      const headers = new Headers(answer.headers)
      const body = spoil(headers) ?? (await answer.text()).replaceAll(`:${port}`, `:${proxyPort}`)
      for (const name of [
        'content-length',
        'content-encoding',
        'transfer-encoding',
        'connection',
      ]) {
        headers.delete(name)
      }
      response.setHeaders(headers)
      response.statusCode = answer.status
      response.end(body)
    })
    const proxyPort = await listen(t, proxy)
    const issuer = `http://localhost:${proxyPort}`
    const see = async () => (await examineWorld(world, { issuer })).findings

    spoil = () => undefined
    // Cookies are named after the issuer's port here: the proxy's is another one.
    t.like(named(await see(), 'issuer'), { state: 'ok' })
    t.like(named(await see(), 'cookies'), { state: 'fail' })
    spoil = () => JSON.stringify({ issuer: 'https://other.example' })
    const other = named(await see(), 'issuer')
    t.regex(String(other?.says), /calls itself https:\/\/other\.example, we are http:\/\/localhost/)
    spoil = () => JSON.stringify({ issuer, token_endpoint: 'http://10.0.0.1/token' })
    t.regex(String(named(await see(), 'issuer')?.says), /token_endpoint leads elsewhere/)
    spoil = () => '<html>Welcome to nginx</html>'
    t.regex(String(named(await see(), 'issuer')?.mend), /pass every path on/)
  },
)

test.serial(
  'an https issuer whose proxy strips a cookie’s flags, or that trusts no proxy, is told so',
  async (t) => {
    const world = await buildWorld(t)
    const issuer = 'https://id.example.gov.tw'
    const answers = (cookie: string, more: Record<string, string> = {}): typeof fetch => {
      return async (input) =>
        String(input).endsWith('/')
          ? new Response('', { headers: { 'set-cookie': cookie, ...more } })
          : Response.json({ issuer }, { headers: { date: new Date().toUTCString() } })
    }
    const good = '__Host-citygate_device=x; path=/; samesite=lax; secure; httponly'
    const hsts = { 'strict-transport-security': 'max-age=1' }
    const see = async (lent: typeof fetch, config: Partial<Config> = {}) =>
      (await examineWorld(world, { issuer, ...config }, { fetch: lent })).findings

    t.like(named(await see(answers(good, hsts)), 'cookies'), { state: 'ok' })
    t.like(named(await see(answers(good, hsts)), 'addresses'), { state: 'warn' })
    t.regex(String(named(await see(answers(good, hsts)), 'addresses')?.mend), /TRUSTED_PROXIES/)
    const plain = await see(answers('__Host-citygate_device=x; path=/; samesite=lax; httponly'))
    t.like(named(plain, 'cookies'), { state: 'fail', says: 'our cookie arrives without secure' })
    t.like(named(plain, 'https'), { state: 'warn' })
    const failing = (code: string): typeof fetch => {
      return async () => {
        throw new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) })
      }
    }
    const expired = named(await see(failing('CERT_HAS_EXPIRED')), 'issuer')
    t.regex(String(expired?.says), /certificate has expired/)
  },
)

test.serial(
  'keys that do not open, keys without a key-encryption key, and a schema of tomorrow fail',
  async (t) => {
    const world = await buildWorld(t)
    const wrong = { kek: openKeyEncryption(Buffer.alloc(32, 9)) }
    const sealed = named((await examineWorld(world, {}, wrong)).findings, 'keys')
    t.like(sealed, { state: 'fail' })
    t.regex(String(sealed?.says), /does not open this database/)
    const none = named((await examineWorld(world, {}, { kek: undefined })).findings, 'keys')
    t.regex(String(none?.mend), /CITYGATE_KEK/)
    const late = () => Date.now() + 400 * 24 * 60 * 60 * 1000
    t.like(named((await examineWorld(world, {}, { now: late })).findings, 'keys'), {
      state: 'warn',
    })

    const knex = openDatabase(world.house.config.database)
    await knex('migration').insert({ name: '20990101000000_tomorrow', batch: 9 })
    await knex.destroy()
    const schema = named((await examineWorld(world)).findings, 'schema')
    t.like(schema, { state: 'fail', mend: 'run that release or a later one on this database' })
  },
)

test.serial('a clock that is off is told against whose', async (t) => {
  const world = await buildWorld(t, { sandbox: true })
  const slow = () => Date.now() - 120_000
  const clock = named((await examineWorld(world, {}, { now: slow })).findings, 'clock')
  t.like(clock, { state: 'warn' })
  t.regex(String(clock?.says), /the issuer is 1(19|20|21) s ahead of us/)
  t.regex(String(clock?.mend), /NTP/)
})

test.serial('a mail server that does not let us in, or is not there, fails in words', async (t) => {
  const world = await buildWorld(t)
  const from = { address: 'id@mail.example' }
  const port = await listen(t, smtp('535 wrong'))
  const see = async (url: string) => {
    const lent = { tryMailServer: () => tryMailServer({ url, from }) }
    return named((await examineWorld(world, {}, lent)).findings, 'mail')
  }
  const refused = await see(`smtp://id:secret@127.0.0.1:${port}`)
  t.like(refused, { state: 'fail', says: 'the mail server did not take our user and password' })
  t.deepEqual(refused?.keys.says, [{ key: 'delivery.mail-credentials', params: {} }])
  const gone = await see(`smtp://127.0.0.1:${await freePort()}`)
  t.like(gone, { state: 'fail', says: 'the mail server could not be reached' })
})

function run(env: NodeJS.ProcessEnv, ...args: string[]) {
  const child = spawn(process.execPath, ['bin/citygate.js', 'doctor', ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, SANDBOX: 'off', ...env },
  })
  let [out, err] = ['', '']
  child.stdout.on('data', (part) => {
    out += part
  })
  child.stderr.on('data', (part) => {
    err += part
  })
  return new Promise<{ exit: number | null; out: string; err: string }>((resolve) =>
    child.once('close', (exit) => resolve({ exit, out, err })),
  )
}

test.serial(
  'at the command line: 0 when all is well, 69 without a database, 78 with a broken configuration, and nothing is made',
  async (t) => {
    const world = await buildWorld(t)
    const [port] = world.ports
    const { database } = world.house.config
    const url = database.engine === 'postgres' ? { DATABASE_URL: database.url } : {}
    const well = await run({ PORT: String(port), DATA_DIR: world.dataDir, ...url })
    t.is(well.exit, 0, well.out)
    t.regex(well.out, /^ok {4}issuer: /m)
    t.regex(well.out, /^not checked: /m)

    const folder = join(temporaryFolder(t), 'data')
    const fresh = await run({ PORT: String(port), DATA_DIR: folder })
    t.regex(
      fresh.out,
      /^warn {2}database: there is no database yet\n {6}mend: run `citygate migrate`/m,
    )
    t.false(existsSync(folder))

    const away = { DATABASE_URL: 'postgres://citygate:secret@127.0.0.1:1/citygate' }
    const down = await run({ PORT: String(port), DATA_DIR: folder, ...away }, '--json')
    t.is(down.exit, 69)
    t.false((down.out + down.err).includes('secret'))
    const { findings } = JSON.parse(down.out) as { findings: Told[] }
    t.like(named(findings, 'database'), { state: 'fail', says: 'refuses the connection' })
    t.regex(String(named(findings, 'database')?.mend), /is PostgreSQL running/)

    const broken = await run({ PORT: 'abc' })
    t.is(broken.exit, 78)
    t.regex(broken.out, /^fail {2}configuration: /m)
  },
)
