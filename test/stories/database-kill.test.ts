/** The program and its PostgreSQL are killed, stopped and frozen while people sign in: nothing they were told is lost. */
import { readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import type { Browser } from '../helpers/browser.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { freePort } from '../helpers/free-port.ts'
import { signInWholly } from '../helpers/load.ts'
import { isOverBefore } from '../helpers/overtaking.ts'
import { type Postgres, startPostgres } from '../helpers/postgres.ts'
import {
  later,
  type Prepared,
  type Program,
  prepare,
  startProgram,
  until,
  writeConfig,
} from '../helpers/program.ts'

/** What a person and her app were told. */
type Told = { sub: string; browser: Browser; accessToken: string; refreshToken: string }

type Scene = Prepared & {
  origin: string
  postgres: Postgres
  told: Told[]
  program: Program
  /** Starts it again on the same port and database. */
  startAgain(): Promise<void>
  /** Lets them sign in over and over until `stop`. */
  begin(): { stop(): Promise<void> }
}

async function setScene(t: ExecutionContext): Promise<Scene> {
  const postgres = await startPostgres({ careless: false })
  t.teardown(() => postgres.stop())
  const port = await freePort()
  const env = {
    PORT: String(port),
    HOST: '127.0.0.1,::1',
    SANDBOX: 'off',
    DATABASE_URL: postgres.url,
    DATABASE_POOL: '5',
    DATA_DIR: temporaryFolder(t),
    WORKERS: '2',
    CITYGATE_CONFIG: writeConfig(t, '\nlimits: { clients: { requests_per_second: 10000 } }\n'),
  }
  const prepared = await prepare(env, { people: 8, firstParty: false })
  const told: Told[] = []
  const scene: Scene = {
    ...prepared,
    origin: `http://localhost:${port}`,
    postgres,
    told,
    program: await startProgram(t, env),
    async startAgain() {
      scene.program = await startProgram(t, env)
    },
    begin() {
      let running = true
      const signers = prepared.people.slice(0, 4).map(async (person) => {
        while (running) {
          try {
            const { browser, accessToken, refreshToken } = await signInWholly(prepared, person)
            told.push({ sub: person.sub, browser, accessToken, refreshToken })
          } catch {
            // Who was told nothing may come again.
          }
          await later(100)
        }
      })
      return {
        async stop() {
          running = false
          await Promise.all(signers)
        },
      }
    },
  }
  return scene
}

/** The server and all its backends. */
const family = ({ pid }: Postgres) => [
  pid,
  ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .map(Number)
    .filter(Boolean),
]

/** Backends of a killed server go by themselves, but not at once. */
async function bringBack({ postgres }: Scene): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await postgres.restart()
    } catch (error) {
      if (tries === 80) throw error
      await later(250)
    }
  }
}

async function timed(url: string, init: RequestInit = {}) {
  const started = performance.now()
  const answer = await fetch(url, {
    ...init,
    redirect: 'manual',
    headers: { connection: 'close', ...init.headers },
  })
  const text = await answer.text()
  const { status, headers } = answer
  return { status, headers, text, ms: Math.round(performance.now() - started) }
}

const askToken = ({ origin, machine }: Scene) =>
  timed(`${origin}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${machine.clientId}:${machine.clientSecret}`)}` },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      resource: 'https://api.cloud.edu.tw/learning',
      scope: 'learning:read',
    }),
  })

/** All that was acknowledged is there: session, consent, access token, refresh token. */
async function checkNothingIsLost(t: ExecutionContext, { rp, told }: Scene) {
  for (const { sub, browser, accessToken, refreshToken } of told.splice(0)) {
    const me = await rp.get('/me', accessToken)
    t.is(me.body.sub, sub, 'the access token')
    const silent = await rp.begin(browser, { prompt: 'none', scope: 'openid' })
    t.truthy(silent.url.searchParams.get('code'), `session and consent: ${silent.url.search}`)
    const renewed = await rp.token({ grant_type: 'refresh_token', refresh_token: refreshToken })
    t.is(renewed.status, 200, `the refresh token: ${JSON.stringify(renewed.body)}`)
  }
}

/** How long answers take on this machine while all is well: the slowest of ten at once. */
async function usualOf(scene: Scene): Promise<number> {
  const answers = await Promise.all(Array.from({ length: 10 }, () => askToken(scene)))
  return Math.max(...answers.map(({ ms }) => ms))
}

const works = async (scene: Scene) => {
  try {
    return (await askToken(scene)).status === 200
  } catch {
    return false
  }
}

test.serial(
  'kill -9 of the program and of PostgreSQL at once: all that was acknowledged is there afterwards',
  async (t) => {
    const scene = await setScene(t)
    const load = scene.begin()
    t.true(await until(() => scene.told.length >= 8))
    const pids = [...scene.program.workers(), scene.program.pid]
    for (const pid of [scene.postgres.pid, ...pids]) process.kill(pid, 'SIGKILL')
    await load.stop()
    const { length } = scene.told
    await bringBack(scene)
    await scene.startAgain()
    await checkNothingIsLost(t, scene)
    t.log(`${length} sign-ins checked`)
  },
)

test.serial(
  'PostgreSQL is killed and comes back: 503 in words meanwhile, keys and discovery as ever, nothing lost, and nobody has to help',
  async (t) => {
    const scene = await setScene(t)
    const { origin, rp, program } = scene
    const usual = await usualOf(scene)
    const load = scene.begin()
    t.true(await until(() => scene.told.length >= 8))
    // Its backends would answer for a moment longer.
    for (const pid of family(scene.postgres)) process.kill(pid, 'SIGKILL')
    // What is remembered for a second is over by then.
    await later(1_100)

    const slowest: Record<string, number> = {}
    for (let i = 0; i < 4; i++) {
      const [page, token, me, jwks, discovery, live, ready] = await Promise.all([
        timed(rp.authorize(), { headers: { accept: 'text/html' } }),
        askToken(scene),
        timed(`${origin}/me`, {
          headers: { authorization: `Bearer ${scene.told[0]?.accessToken}` },
        }),
        timed(`${origin}/jwks`),
        timed(`${origin}/.well-known/openid-configuration`),
        timed(`${origin}/health/live`),
        timed(`${origin}/health/ready`),
      ])
      for (const [name, { status, headers, ms }] of Object.entries({ page, token, me, ready })) {
        t.is(status, 503, name)
        t.regex(String(headers.get('retry-after')), /^\d+$/, name)
        slowest[name] = Math.max(slowest[name] ?? 0, ms)
      }
      t.regex(page.text, /<h1/)
      t.regex(String(page.headers.get('content-type')), /text\/html/)
      for (const { text } of [token, me]) t.truthy(JSON.parse(text).error)
      for (const [name, { status, ms }] of Object.entries({ jwks, discovery, live })) {
        t.is(status, 200, name)
        slowest[name] = Math.max(slowest[name] ?? 0, ms)
      }
      t.true(jwks.text.includes('"kid"'))
      await later(200)
    }
    t.true(Math.max(...Object.values(slowest)) < 2_300 + 3 * usual, JSON.stringify(slowest))
    t.is(program.child.exitCode, null)
    const workers = program.workers()

    await bringBack(scene)
    const back = performance.now()
    t.true(await until(() => works(scene), 4_800 + 3 * usual), 'within five seconds')
    const recovered = Math.round(performance.now() - back)
    const before = scene.told.length
    t.true(await until(() => scene.told.length >= before + 4), 'people sign in again')
    await load.stop()
    t.deepEqual(program.workers(), workers, 'no process crashed')
    t.false(program.output().includes('"status":500'), 'no request ended in an error page of ours')
    const { length } = scene.told
    await checkNothingIsLost(t, scene)
    t.log(
      `slowest answers in ms: ${JSON.stringify(slowest)}; recovered ${recovered} ms after; ${length} sign-ins checked`,
    )
  },
)

test.serial('PostgreSQL is frozen for four seconds: nothing piles up', async (t) => {
  const scene = await setScene(t)
  const { program } = scene
  t.true(await works(scene))
  const usual = await usualOf(scene)
  const frozen = family(scene.postgres)
  for (const pid of frozen) process.kill(pid, 'SIGSTOP')
  const waiting: Promise<Awaited<ReturnType<typeof askToken>>>[] = []
  for (let i = 0; i < 80; i++) {
    waiting.push(askToken(scene))
    await later(50)
  }
  const token = askToken(scene)
  const jwks = timed(`${scene.origin}/jwks`)
  t.true(await isOverBefore(jwks, token), 'keys ask no database')
  t.is((await jwks).status, 200)
  for (const pid of frozen) process.kill(pid, 'SIGCONT')
  const thawed = performance.now()
  const answers = await Promise.all(waiting)
  const all = Math.round(performance.now() - thawed)
  const slowest = Math.max(...answers.map(({ ms }) => ms))
  const refused = answers.filter(({ status }) => status === 503).length
  t.deepEqual(
    [...new Set(answers.map(({ status }) => status))].filter((one) => one !== 200 && one !== 503),
    [],
  )
  t.true(refused > 20, `${refused} were told to come again`)
  t.true(slowest < 4_800 + 3 * usual, `${slowest} ms, usually ${usual}`)
  t.true(all < 2_800 + 3 * usual, `the last one was answered ${all} ms after, usually ${usual}`)

  t.true(await until(() => works(scene), 4_800 + 3 * usual))
  const recovered = Math.round(performance.now() - thawed)
  const after = await Promise.all(Array.from({ length: 10 }, () => askToken(scene)))
  t.deepEqual([...new Set(after.map(({ status }) => status))], [200])
  t.true(Math.max(...after.map(({ ms }) => ms)) < 800 + 3 * usual)
  t.is(program.child.exitCode, null)
  t.false(program.output().includes('"status":500'))
  t.log(
    `${refused} of ${answers.length} refused, slowest ${slowest} ms, all answered ${all} ms and recovered ${recovered} ms after`,
  )
})
