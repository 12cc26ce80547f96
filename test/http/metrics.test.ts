/** What an operator's Prometheus reads, after real people did real things. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { listenMetrics } from '../../src/opening/listening.ts'
import { openBrowser } from '../helpers/browser.ts'
import { temporaryFolder } from '../helpers/database.ts'
import { freePort } from '../helpers/free-port.ts'
import { arrivedAt } from '../helpers/relying-party.ts'
import { buildWorld, type World } from '../helpers/world.ts'

/** Values by series, as Prometheus would keep them. */
async function scrape(port: string): Promise<Map<string, number>> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  if (answer.status !== 200) throw new Error(`scrape: ${answer.status}`)
  const lines = (await answer.text()).split('\n').filter((line) => line && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ')
      return [line.slice(0, end), Number(line.slice(end + 1))]
    }),
  )
}

async function measuredWorld(t: ExecutionContext): Promise<{ world: World; port: string }> {
  const port = String(await freePort())
  const world = await buildWorld(t, { sandbox: true, env: { METRICS_PORT: port } })
  const serving = await listenMetrics(world.house)
  t.teardown(() => serving?.close())
  return { world, port }
}

test('a sign-in through a county raises its counters', async (t) => {
  const { world, port } = await measuredWorld(t)
  const rp = await world.buildApp()
  const browser = openBrowser()
  const atCounty = await browser.submit(await rp.begin(browser), 'county-form', {
    connector: 'ntpc',
  })
  const back = await browser.submit(atCounty, 'county-login', {
    account: 'ntpctest',
    password: 'ntpctest',
  })
  t.true(arrivedAt(rp, back), back.html)
  t.is((await rp.redeem(back.url)).status, 200)
  t.is((await rp.redeem(back.url)).status, 400, 'a code is good once')
  const seen = await scrape(port)
  const is = (series: string, value: number) => t.is(seen.get(series), value, series)
  is('citygate_sign_ins_total{way="upstream",connector="ntpc",outcome="finish"}', 1)
  is('citygate_upstream_seconds_count{connector="ntpc",step="begin"}', 1)
  is('citygate_upstream_seconds_count{connector="ntpc",step="complete"}', 1)
  is('citygate_tokens_issued_total{grant_type="authorization_code",outcome="issued"}', 1)
  is('citygate_tokens_issued_total{grant_type="authorization_code",outcome="invalid_grant"}', 1)
  is('citygate_http_request_seconds_count{route="token",method="POST",status="200"}', 1)
  const callback = '{route="/upstream/:connector/callback",method="GET",status="303"}'
  is(`citygate_http_request_seconds_count${callback}`, 1)
  t.true((seen.get('citygate_signing_key_age_seconds') ?? -1) >= 0)
  const statements = [...seen.keys()].filter((one) => one.startsWith('citygate_database_seconds_c'))
  t.true(statements.length > 3, 'the database’s statements are timed by name')
  t.true((seen.get('citygate_database_pool_free') ?? -1) >= 0)
  t.true(seen.has('nodejs_eventloop_lag_p99_seconds'))
  t.is(seen.get('citygate_outbox_dead'), 0)
  const known = [...seen].filter(([one]) => one.startsWith('citygate_upstream_up'))
  t.deepEqual(known, [['citygate_upstream_up{connector="ntpc"}', 1]], 'of the others nothing is')
})

test('a password, wrong and right, is a sign-in tried and a hash made', async (t) => {
  const { world, port } = await measuredWorld(t)
  const rp = await world.buildApp()
  const { account, password } = await world.buildPerson()
  const hashes = 'citygate_password_hash_seconds_count'
  const before = (await scrape(port)).get(hashes) ?? 0
  const browser = openBrowser()
  const page = await rp.begin(browser)
  const again = await browser.submit(page, 'local-form', { account, password: 'not that one' })
  t.true(arrivedAt(rp, await browser.submit(again, 'local-form', { account, password })))
  const seen = await scrape(port)
  const signIns = (outcome: string) =>
    seen.get(`citygate_sign_ins_total{way="password",connector="",outcome="${outcome}"}`)
  t.is(signIns('refused'), 1)
  t.is(signIns('finish'), 1)
  t.is(seen.get(hashes), before + 2)
  t.is(seen.get('citygate_password_queue_waiting'), 0)
})

test('a county that is away is an error of its kind', async (t) => {
  const { world, port } = await measuredWorld(t)
  const rp = await world.buildApp()
  const browser = openBrowser()
  const page = await rp.begin(browser)
  await world.switchCounty('ntpc', 'down')
  const problem = await browser.submit(page, 'county-form', { connector: 'ntpc' })
  t.true(problem.status >= 500, String(problem.status))
  const seen = await scrape(port)
  const errors = [...seen].filter(([series]) => series.startsWith('citygate_upstream_errors_total'))
  t.is(errors.length, 1, JSON.stringify(errors))
  t.regex(errors[0]?.[0] ?? '', /connector="ntpc",failure="unreachable"/)
})

test('strangers make no series: counties, grants, methods and paths they invent are one each', async (t) => {
  const { world, port } = await measuredWorld(t)
  const rp = await world.buildApp()
  for (let i = 0; i < 5; i++) {
    await fetch(`${world.issuer}/upstream/invented-${i}/callback?state=x`)
    await fetch(`${world.issuer}/invented/${i}`)
    await fetch(`${world.issuer}/token`, { method: i % 2 ? 'PROPFIND' : 'LOCK' })
    await rp.token({ grant_type: `invented-${i}` })
  }
  const text = [...(await scrape(port)).keys()].join('\n')
  t.notRegex(text, /invented|PROPFIND|LOCK/)
  t.regex(text, /citygate_sign_ins_total\{way="upstream",connector="unknown",outcome="lost"\}/)
  t.regex(text, /citygate_tokens_issued_total\{grant_type="other",/)
  t.regex(text, /citygate_http_request_seconds_count\{route="none",method="other"/)
})

test('the metrics’ port serves metrics and nothing else, and nobody else serves them', async (t) => {
  const { world, port } = await measuredWorld(t)
  const at = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init)
  t.regex((await at('/metrics')).headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  t.is((await at('/')).status, 404)
  t.is((await at('//')).status, 404)
  t.is((await at('/metrics', { method: 'POST' })).status, 405)
  t.is((await fetch(`${world.issuer}/metrics`)).status, 404)
})

test('nobody counts where nobody asked', async (t) => {
  const world = await buildWorld(t)
  t.is(await listenMetrics(world.house), undefined)
  t.is(await world.house.metrics.text(), '')
})

test('several processes are one: the primary adds its workers up', async (t) => {
  const metrics = join(import.meta.dirname, '..', '..', 'src', 'lib', 'metrics.ts')
  const file = join(temporaryFolder(t), 'cluster.mjs')
  writeFileSync(
    file,
    `import cluster from 'node:cluster'
    import { openClusterMetrics, openMetrics } from ${JSON.stringify(metrics)}
    if (cluster.isPrimary) {
      const all = openClusterMetrics()
      const workers = [cluster.fork(), cluster.fork()]
      await Promise.all(workers.map((one) => new Promise((up) => one.once('message', up))))
      process.stdout.write(await all.text())
      process.exit(0)
    } else {
      const mine = openMetrics(['ntpc'], {
        passwordsWaiting: () => 3,
        outbox: async () => ({ waiting: 7, dead: 0 }),
        upstreams: async () => [['ntpc', cluster.worker.id === 1]],
      })
      mine.signIn('upstream', 'ntpc', 'finish')
      mine.passwordHash(0.01)
      process.send({ type: 'ready' })
    }`,
  )
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  let text = ''
  for await (const chunk of child.stdout) text += chunk
  const lines = text.split('\n')
  const has = (line: string) => t.true(lines.includes(line), line)
  has('citygate_sign_ins_total{way="upstream",connector="ntpc",outcome="finish"} 2')
  has('citygate_password_hash_seconds_count 2')
  has('citygate_password_queue_waiting 6')
  // One outbox, seen twice; an upstream is up when everybody can reach it.
  has('citygate_outbox_waiting 7')
  has('citygate_upstream_up{connector="ntpc"} 0')
})
