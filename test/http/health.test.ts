/** What an orchestrator asks: does the process answer, and may it be sent requests. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { openHealth } from '#http/routes/health.ts'
import { eventually } from '../helpers/eventually.ts'
import { isOverBefore } from '../helpers/overtaking.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { buildWorld, type World } from '../helpers/world.ts'

/** By address, as a kubelet or a balancer asks: not by the issuer's name. */
const ask = (world: World, path: string, method = 'GET') =>
  fetch(`http://127.0.0.1:${world.ports[0]}${path}`, { method })

const well = { database: 'ok', migrations: 'ok', keys: 'ok' }

test('a house that is well says so to whoever asks by address, and says nothing else', async (t) => {
  const world = await buildWorld(t)
  t.is((await ask(world, '/')).status, 421, 'pages are for the issuer’s own name')
  const before = world.log.length

  const live = await ask(world, '/health/live')
  t.is(live.status, 200)
  t.deepEqual(await live.json(), { status: 'ok' })
  const ready = await ask(world, '/health/ready')
  t.is(ready.status, 200)
  t.deepEqual(await ready.json(), { status: 'ok', checks: well })
  t.is(ready.headers.get('cache-control'), 'no-store')
  t.is(ready.headers.get('set-cookie'), null)
  t.is((await ask(world, '/health/ready', 'HEAD')).status, 200)

  t.is(world.log.length, before, 'a probe every second is no news')
  t.is((await ask(world, '/health/secrets')).status, 421)
  t.is((await ask(world, '/health/ready', 'POST')).status, 421)
})

test('while it drains it lives, finishes what it has, and takes no more', async (t) => {
  const world = await buildWorld(t)
  t.is((await ask(world, '/health/ready')).status, 200)
  world.house.health.drain()
  const ready = await ask(world, '/health/ready')
  t.is(ready.status, 503)
  t.is(ready.headers.get('retry-after'), '1')
  t.deepEqual(await ready.json(), { status: 'failed', checks: { ...well, draining: 'failed' } })
  t.is((await ask(world, '/health/live')).status, 200)
  const page = await fetch(`${world.issuer}/.well-known/openid-configuration`)
  t.is(page.status, 200)
})

test('while PostgreSQL hangs or is gone the house lives but is not ready, and mends by itself', async (t) => {
  const postgres = await startPostgres()
  t.teardown(() => postgres.stop())
  // Statements have far longer than a check is waited for.
  const env = { DATABASE_URL: postgres.url, DATABASE_TIMEOUT_MS: '20000' }
  const world = await buildWorld(t, { env, freshKeys: true })
  const isReady = async () => (await ask(world, '/health/ready')).status === 200
  t.true(await eventually(isReady, Boolean))
  await sleep(1_000)

  const frozen = postgres.pid
  process.kill(frozen, 'SIGSTOP')
  for (const child of childrenOf(frozen)) process.kill(child, 'SIGSTOP')
  const stuck = world.house.store.clients.list()
  stuck.catch(() => {})
  const asked = ask(world, '/health/ready')
  t.true(await isOverBefore(asked, stuck), 'a check is waited for no longer than it may take')
  const hanging = await asked
  t.is(hanging.status, 503)
  t.deepEqual(await hanging.json(), {
    status: 'failed',
    checks: { database: 'failed', migrations: 'failed', keys: 'ok' },
  })
  t.is((await ask(world, '/health/live')).status, 200)
  for (const child of childrenOf(frozen)) process.kill(child, 'SIGCONT')
  process.kill(frozen, 'SIGCONT')
  t.true(await eventually(isReady, Boolean), 'thawed')

  await sleep(1_000)
  process.kill(postgres.pid, 'SIGINT')
  await postgres.restart()
  t.true(await eventually(isReady, Boolean), 'restarted')
  const news = world.log.filter((line) => line.includes('"readiness"'))
  t.true(
    news.length >= 2 && news.length % 2 === 0,
    'the log says when it began and when it was over',
  )
})

/** PostgreSQL has one process for each connection. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)

// Alone, and before the others: initdb would hold the clock they are measured by.
test.serial(
  'a check that hangs costs its time once and is not asked again while it hangs',
  async (t) => {
    let asked = 0
    let answer = (_well: boolean) => {}
    const hanging = () => {
      asked++
      return new Promise<boolean>((resolve) => {
        answer = resolve
      })
    }
    const heard: string[] = []
    const health = openHealth({
      checks: { database: hanging, keys: async () => true },
      patienceMs: 50,
      changed: ({ status }) => heard.push(status),
    })
    const reports = Promise.all([health.report(), health.report()])
    t.true(await isOverBefore(reports, sleep(1_000)))
    const [first, second] = await reports
    t.is(first, second)
    t.deepEqual(first.checks, { database: 'failed', keys: 'ok' })
    await sleep(60)
    t.is((await health.report()).status, 'failed')
    t.is(asked, 1)

    answer(true)
    await sleep(60)
    const again = health.report()
    answer(true)
    t.is((await again).status, 'ok')
    t.is(asked, 2)
    t.deepEqual(heard, ['failed', 'ok'])
  },
)

test.serial('a result is good for a while: a crowd of probes is one question', async (t) => {
  let asked = 0
  const checks = { count: async () => ++asked > 0 }
  const health = openHealth({ checks, patienceMs: 60_000 })
  for (let i = 0; i < 20; i++) await health.report()
  t.is(asked, 1)
  const forgetful = openHealth({ checks, patienceMs: 10 })
  await forgetful.report()
  await sleep(20)
  await forgetful.report()
  t.is(asked, 3)
})

test('a check that throws at once has failed like any other', async (t) => {
  const broken = () => {
    throw new Error('no pool')
  }
  t.like(await openHealth({ checks: { broken } }).report(), { status: 'failed' })
})
