/** One program of several processes: people notice nothing of it, whatever happens to one of them. */
import { once } from 'node:events'
import { appendFileSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { Agent, fetch as poolFetch } from 'undici'
import { openBrowser } from '../helpers/browser.ts'
import { createDatabase } from '../helpers/database.ts'
import { freePort } from '../helpers/free-port.ts'
import {
  later,
  type Program,
  prepare,
  spawnProgram,
  startProgram,
  until,
  writeConfig,
} from '../helpers/program.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { preparedFolder } from '../helpers/world.ts'

async function environment(t: ExecutionContext, more: NodeJS.ProcessEnv = {}) {
  const port = await freePort()
  const where = await createDatabase(t)
  return {
    ...(where.engine === 'postgres' ? { DATABASE_URL: where.url, DATABASE_POOL: '5' } : {}),
    PORT: String(port),
    HOST: '127.0.0.1,::1',
    SANDBOX: 'off',
    DATA_DIR: await preparedFolder(t),
    WORKERS: '2',
    ...more,
  }
}

const originOf = ({ PORT }: { PORT: string }) => `http://localhost:${PORT}`

/** Seconds of CPU time a process has used, in hundredths. */
const cpuOf = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}

const answers = async (origin: string) => {
  try {
    // A connection of its own: it goes to whichever worker is next.
    const answer = await fetch(`${origin}/jwks`, { headers: { connection: 'close' } })
    return answer.status === 200
  } catch {
    return false
  }
}

/** A form whose second half is sent when `finish` is called. */
function beginRequest(port: string) {
  const body = 'grant_type=client_credentials&client_id=nobody'
  const sent = request({
    host: '127.0.0.1',
    port,
    path: '/token',
    method: 'POST',
    headers: {
      host: `localhost:${port}`,
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': body.length,
      connection: 'keep-alive',
      expect: '100-continue',
    },
  })
  const arrived = once(sent, 'continue')
  const answer = new Promise<{ status: number; connection: string; body: string }>(
    (resolve, reject) => {
      sent.once('error', reject)
      sent.once('response', async (response) => {
        const { statusCode = 0, headers } = response
        const connection = String(headers.connection)
        resolve({ status: statusCode, connection, body: await text(response) })
      })
    },
  )
  sent.write(body.slice(0, 10))
  return {
    answer,
    /** Once a worker has it in hand. */
    arrived,
    finish: () => void sent.end(body.slice(10)),
  }
}

test.serial(
  'people sign in though every request may reach another process than the one before',
  async (t) => {
    const env = await environment(t)
    const { rp, people } = await prepare(env, { people: 12 })
    const program = await startProgram(t, env)
    t.is(program.output().match(/Citygate 城門/g)?.length, 1)
    const workers = program.workers()
    t.is(workers.length, 2)
    const before = workers.map(cpuOf)
    const subs = await Promise.all(
      people.map(async (person) => {
        const browser = openBrowser({ connection: 'close' })
        const page = await rp.begin(browser, { scope: 'openid offline_access', prompt: 'consent' })
        const next = await browser.submit(page, 'local-form', person)
        const back = arrivedAt(rp, next)
          ? next
          : await browser.submit(next, 'consent-form', { decision: 'allow' })
        t.truthy(back.url.searchParams.get('code'), back.url.href + back.html)
        const { status, body } = await rp.redeem(back.url)
        t.is(status, 200, JSON.stringify(body))
        const refreshed = await rp.token({
          grant_type: 'refresh_token',
          refresh_token: body.refresh_token ?? '',
        })
        t.is(refreshed.status, 200)
        // The other process knows the session, too.
        const silent = await rp.begin(browser, { prompt: 'none' })
        t.truthy(silent.url.searchParams.get('code'), silent.url.href)
        return (await rp.get('/me', refreshed.body.access_token)).body.sub
      }),
    )
    t.deepEqual(
      subs,
      people.map(({ sub }) => sub),
    )
    // Both had a share in it.
    const used = workers.map((pid, i) => cpuOf(pid) - (before[i] ?? 0))
    t.true(Math.min(...used) >= 10, `hundredths of CPU seconds: ${used}`)
    t.log(`CPU of the two workers: ${used.map((one) => one / 100)} s`)
  },
)

test.serial('the pretend world is there once, beside several workers', async (t) => {
  const [DEMO_PORT, SANDBOX_PORT] = [String(await freePort()), String(await freePort())]
  const env = await environment(t, { SANDBOX: 'on', DEMO_PORT, SANDBOX_PORT })
  const program = await startProgram(t, env)
  t.is(program.output().match(/demo app/g)?.length, 1)
  const browser = openBrowser({ connection: 'close' })
  const atCounty = await browser.open(`http://localhost:${DEMO_PORT}/login?upstream=ntpc`)
  const fields = { account: 'ntpctest', password: 'ntpctest' }
  const back = await browser.submit(atCounty, 'county-login', fields)
  t.is(back.url.href, `http://localhost:${DEMO_PORT}/`, back.html)
  // Its directory is in every process, with the certificate all of them know.
  for (let i = 0; i < 4; i++) {
    const other = openBrowser({ connection: 'close' })
    const form = await other.open(`http://localhost:${DEMO_PORT}/login?upstream=directory`)
    const typed = { account: 'dirtest', password: 'dirtest' }
    const there = await other.submit(form, 'upstream-password-form', typed)
    t.is(there.url.href, `http://localhost:${DEMO_PORT}/`, there.html)
  }
  t.is((await program.end()).exit, 0)
})

test.serial('a worker killed with -9 is replaced, and requests go on', async (t) => {
  const env = await environment(t)
  const origin = originOf(env)
  const program = await startProgram(t, env)
  const [first = 0, second = 0] = program.workers()
  process.kill(first, 'SIGKILL')
  t.true(await until(() => !program.workers().includes(first)))
  for (let i = 0; i < 10; i++) t.true(await answers(origin), 'the other one answers meanwhile')
  t.true(await until(() => program.workers().length === 2))
  t.true(program.workers().includes(second), 'which is left alone')
  t.true(await until(() => program.output().includes('a worker process ended (SIGKILL)')))

  for (const pid of program.workers()) process.kill(pid, 'SIGKILL')
  t.true(await until(() => answers(origin)), 'also when no other one is left')
  t.true(await until(() => program.workers().length === 2))
  t.is((await program.end()).exit, 0)
})

for (const WORKERS of ['1', '2'] as const) {
  test.serial(
    `SIGTERM with WORKERS=${WORKERS}: the request under way is answered, no other one is taken, exit code 0`,
    async (t) => {
      const env = await environment(t, { WORKERS, TRUSTED_PROXIES: '127.0.0.1' })
      const program = await startProgram(t, env)
      const open = beginRequest(env.PORT)
      await open.arrived
      const idle = connect(Number(env.PORT), '127.0.0.1')
      const head = `GET /health/ready HTTP/1.1\r\nHost: localhost:${env.PORT}\r\n\r\n`
      let heard = ''
      idle.setEncoding('utf8').on('data', (chunk) => {
        heard += chunk
      })
      idle.write(head)
      t.true(await until(() => heard.includes('{"status":"ok"')), heard)
      t.regex(heard, /HTTP\/1\.1 200[\s\S]*Connection: keep-alive/i)

      const end = program.end()
      t.true(await until(async () => !(await answers(originOf(env)))), 'nobody listens')
      // A proxy that sends on a kept connection at that moment is answered, and told not to do so again.
      heard = ''
      idle.write(head)
      t.true(await until(() => heard.includes('"draining":"failed"')), heard + program.output())
      t.regex(heard, /HTTP\/1\.1 503[\s\S]*Connection: close/i)
      t.is(program.child.exitCode, null, 'it waits for the request')
      open.finish()
      const { status, connection, body } = await open.answer
      t.is(status, 401)
      t.is(JSON.parse(body).error, 'invalid_client')
      t.is(connection, 'close')
      const { exit, ms } = await end
      t.is(exit, 0, program.output())
      t.true(ms < 10_000, `${ms} ms`)
    },
  )

  test.serial(
    `a second SIGTERM with WORKERS=${WORKERS} does not cut off the request under way`,
    async (t) => {
      const env = await environment(t, { WORKERS })
      const program = await startProgram(t, env)
      const open = beginRequest(env.PORT)
      await open.arrived
      const end = program.end()
      t.true(await until(async () => !(await answers(originOf(env)))), 'nobody listens')
      program.child.kill('SIGTERM')
      program.child.kill('SIGINT')
      await later(300)
      open.finish()
      t.is((await open.answer).status, 401)
      t.is((await end).exit, 0, program.output())
    },
  )

  test.serial(
    `SIGTERM with WORKERS=${WORKERS}: nobody is waited for longer than ten seconds`,
    async (t) => {
      const env = await environment(t, { WORKERS })
      const program = await startProgram(t, env)
      const open = beginRequest(env.PORT)
      await open.arrived
      const { exit, ms } = await program.end()
      t.is(exit, 0, program.output())
      t.true(ms > 5_000 && ms < 10_000, `${ms} ms`)
      await t.throwsAsync(open.answer)
    },
  )
}

test.serial('DRAIN_DELAY_MS: balancers hear it before anybody is refused', async (t) => {
  const env = await environment(t, { DRAIN_DELAY_MS: '5000' })
  const program = await startProgram(t, env)
  const end = program.end()
  const ready = async () => (await fetch(`${originOf(env)}/health/ready`)).status
  t.true(await until(async () => (await ready()) === 503))
  t.true(await answers(originOf(env)), 'people are still let in')
  const { exit, ms } = await end
  t.is(exit, 0)
  t.true(ms >= 5_000 && ms < 8_500, `${ms} ms`)
})

test.serial(
  'SIGHUP replaces the workers one after another; nobody notices, and broken rules change nothing',
  async (t) => {
    const config = writeConfig(t, '\nlimits: { clients: { requests_per_second: 10000 } }\n')
    const env = await environment(t, { CITYGATE_CONFIG: config, TRUSTED_PROXIES: '127.0.0.1' })
    const { machine } = await prepare(env)
    const program = await startProgram(t, env)
    const before = program.workers()

    // Kept connections, as a proxy has them.
    const pool = new Agent({ connections: 6, keepAliveTimeout: 4_000, keepAliveMaxTimeout: 4_000 })
    t.teardown(() => pool.destroy())
    const failures: string[] = []
    let answered = 0
    let running = true
    const load = Array.from({ length: 6 }, async () => {
      while (running) {
        try {
          const answer = await poolFetch(`${originOf(env)}/token`, {
            method: 'POST',
            body: new URLSearchParams({
              grant_type: 'client_credentials',
              resource: 'https://api.cloud.edu.tw/learning',
              scope: 'learning:read',
            }),
            headers: {
              authorization: `Basic ${btoa(`${machine.clientId}:${machine.clientSecret}`)}`,
            },
            dispatcher: pool,
          })
          await answer.text()
          if (answer.status !== 200) failures.push(String(answer.status))
          answered++
        } catch (error) {
          failures.push(String(error instanceof Error ? error.cause : error))
        }
        await later(40)
      }
    })
    const replaced = () =>
      program.workers().length === 2 && !before.some((pid) => program.workers().includes(pid))
    program.child.kill('SIGHUP')
    t.true(await until(replaced), program.output())
    t.true(await until(() => program.output().includes('workers were replaced')))
    running = false
    await Promise.all(load)
    t.deepEqual(failures, [])
    t.log(`${answered} requests meanwhile`)

    appendFileSync(join(config, 'site.yaml'), '\nnonsense: 1\n')
    const now = program.workers()
    program.child.kill('SIGHUP')
    t.true(await until(() => program.output().includes('the old ones go on')), program.output())
    t.regex(program.output(), /site\.yaml:\d+ .*nonsense/)
    t.deepEqual(program.workers(), now)
    t.true(await answers(originOf(env)))

    for (const pid of now) process.kill(pid, 'SIGKILL')
    t.is(
      await program.ended,
      78,
      'when none is left and none can start, it ends as a first start would',
    )
    t.regex(program.output(), /citygate: a worker process ended \(exit code 78\)/)
  },
)

const cannotStart = {
  'its port is taken': {
    exit: 69,
    says: /port \d+ on .* is taken by another program; set PORT/g,
    async spoil(t: ExecutionContext, env: Env) {
      const other = createServer()
      t.teardown(() => other.close())
      await new Promise<void>((resolve) => {
        other.listen(Number(env.PORT), '127.0.0.1', resolve)
      })
    },
  },
  'its rules are broken': {
    exit: 78,
    says: /config is invalid/g,
    async spoil(t: ExecutionContext, env: Env) {
      env.CITYGATE_CONFIG = writeConfig(t, '\nnonsense: 1\n')
    },
  },
  'the key of its keys was lost': {
    exit: 1,
    says: /key-encryption/gi,
    async spoil(_: ExecutionContext, env: Env) {
      await prepare(env)
      rmSync(join(env.DATA_DIR, 'key-encryption-key'))
    },
  },
}
type Env = Awaited<ReturnType<typeof environment>> & NodeJS.ProcessEnv

for (const [why, { exit, says, spoil }] of Object.entries(cannotStart)) {
  test.serial(
    `when ${why} the whole does not start, says so once, and ends with exit code ${exit}`,
    async (t) => {
      const env: Env = await environment(t)
      await spoil(t, env)
      const program: Program = spawnProgram(t, env)
      t.is(await program.ended, exit, program.output())
      t.is(program.output().match(says)?.length, 1, program.output())
      t.false(program.output().includes('Citygate 城門'))
    },
  )
}
