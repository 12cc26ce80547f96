/**
 * `node bench/sweep.ts [sqlite|postgres] [rows]`: what sweeping costs those who sign in meanwhile, and whether the
 * database stays as large as what it holds.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Knex } from 'knex'
import { openSweep } from '#jobs/sweep.ts'
import { randomToken } from '#lib/crypto.ts'
import { openDatabase, type Where } from '#store/database.ts'
import { openStore, type Store } from '#store/store.ts'
import { startPostgres } from '../test/helpers/postgres.ts'

const [engine = 'sqlite', count = '1000000'] = process.argv.slice(2)
const rows = Number(count)
const hour = 60 * 60
const begin = 1_800_000_000

/** Of a hundred rows: how many are of this model, and how long they are good for. */
const mix = [
  { model: 'Interaction', share: 16, seconds: hour },
  { model: 'Session', share: 8, seconds: 12 * hour },
  { model: 'AuthorizationCode', share: 20, seconds: 60 },
  { model: 'AccessToken', share: 28, seconds: hour },
  { model: 'RefreshToken', share: 20, seconds: 12 * hour },
  { model: 'Grant', share: 8, seconds: 12 * hour },
]

const text = (size: number) => 'x'.repeat(size)

/** Rows as `wanted` hours of sign-ins leave them, made by the database itself. */
async function fill(knex: Knex, at: number, wanted: number, over: number) {
  for (const { model, share, seconds } of mix) {
    const amount = Math.round((wanted * share) / 100)
    const columns =
      'id, model, payload, grant_id, uid, account_id, client_id, session_uid, expires_at'
    const uid = (random: string) => (model === 'Session' ? random : 'NULL')
    if (engine === 'sqlite') {
      const random = 'hex(randomblob(21))'
      await knex.raw(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO oidc_payload (${columns}) SELECT ${random}, ?, ?, ${random}, ${uid(random)},
         ${random}, 'a client', ${random}, ? + i * ? / ? FROM n`,
        [amount, model, JSON.stringify({ kept: text(500) }), at + seconds, over, amount],
      )
    } else {
      const random = "md5(random()::text) || 'abcdefghij'"
      await knex.raw(
        `INSERT INTO oidc_payload (${columns}) SELECT ${random}, ?, ?, ${random}, ${uid(random)},
         ${random}, 'a client', ${random}, ? + i::bigint * ? / ? FROM generate_series(1, ?) AS i`,
        [model, JSON.stringify({ kept: text(500) }), at + seconds, over, amount, amount],
      )
    }
  }
}

async function size(knex: Knex, where: Where): Promise<number> {
  if (where.engine === 'sqlite') return statSync(where.file).size / 1e6
  const { rows } = await knex.raw("SELECT pg_total_relation_size('oidc_payload') AS size")
  return Number(rows[0].size) / 1e6
}

const sorted = (list: number[]) => [...list].sort((a, b) => a - b)
const at = (list: number[], part: number) =>
  (sorted(list)[Math.floor(list.length * part)] ?? 0).toFixed(1)
const summary = (list: number[]) =>
  `p50 ${at(list, 0.5)}  p99 ${at(list, 0.99)}  p99.9 ${at(list, 0.999)}  max ${Math.max(...list).toFixed(1)} ms`

/** Saves an artefact every few milliseconds, as sign-ins do, until told to stop. */
function signIns(store: Store, expiresAt: number) {
  const took: number[] = []
  let on = true
  const done = (async () => {
    while (on) {
      const started = performance.now()
      await store.payloads.save([
        { id: randomToken(), model: 'Interaction', payload: { kept: text(500) }, expiresAt },
      ])
      took.push(performance.now() - started)
      await sleep(4)
    }
    return took
  })()
  return () => {
    on = false
    return done
  }
}

async function backlog(store: Store, knex: Knex) {
  await fill(knex, begin - 40 * hour, rows, 20 * hour)
  // What filling left to do is not what is measured.
  if (engine === 'sqlite') await knex.raw('PRAGMA wal_checkpoint(TRUNCATE)')
  else for (const sql of ['VACUUM ANALYZE oidc_payload', 'CHECKPOINT']) await knex.raw(sql)
  const statements: number[] = []
  let removed = 0
  const sweep = openSweep(store, () => begin * 1000 + 40 * hour * 1000, {
    observe: (_kind, gone, ms) => {
      statements.push(ms)
      removed += gone
    },
  })
  const calm = signIns(store, begin + 1000 * hour)
  await sleep(5_000)
  console.log(`a save without a sweep     ${summary(await calm())}`)
  const stop = signIns(store, begin + 1000 * hour)
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const started = performance.now()
  await sweep.run(new AbortController().signal)
  const took = (performance.now() - started) / 1000
  loop.disable()
  console.log(`a save during the sweep    ${summary(await stop())}`)
  console.log(`a statement of the sweep   ${summary(statements)}`)
  console.log(
    `event loop delay           p99 ${(loop.percentile(99) / 1e6).toFixed(1)}  max ${(loop.max / 1e6).toFixed(1)} ms`,
  )
  console.log(
    `${removed} rows in ${statements.length} statements, ${took.toFixed(0)} s, ${Math.round(removed / took)} a second`,
  )
}

/** Three days of so many rows, hour by hour: what comes in an hour, then the sweep. */
async function days(store: Store, knex: Knex, where: Where, perDay: number) {
  const everyHour = Math.round(perDay / 24)
  let now = begin + 100 * hour
  const sweep = openSweep(store, () => now * 1000)
  for (let passed = 1; passed <= 72; passed++) {
    await fill(knex, now, everyHour, hour)
    now += hour
    await sweep.run(new AbortController().signal)
    // What autovacuum does once a minute; an hour passes in seconds here.
    if (where.engine === 'postgres') await knex.raw('VACUUM oidc_payload')
    if (passed % 12 > 0) continue
    const kept = Number((await knex('oidc_payload').count({ n: '*' }))[0]?.n)
    console.log(
      `after ${passed} h: ${kept} rows, ${(await size(knex, where)).toFixed(0)} MB; ${passed * everyHour} came`,
    )
  }
}

const folder = mkdtempSync(join(tmpdir(), 'citygate-sweep-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const postgres = engine === 'postgres' ? await startPostgres({ careless: false }) : undefined
const where: Where = postgres
  ? { engine: 'postgres', url: postgres.url }
  : { engine: 'sqlite', file: join(folder, 'sweep.sqlite3') }
const store = openStore(where)
await store.migrate()
const administrator = postgres
  ? openDatabase({ engine: 'postgres', url: `${postgres.url}?options=-c%20statement_timeout%3D0` })
  : openDatabase(where)
if (postgres) administrator.client.connectionSettings.query_timeout = 0
if (postgres) administrator.client.connectionSettings.statement_timeout = 0
console.log(`${engine}, ${rows} rows expired`)
await backlog(store, administrator)
await administrator('oidc_payload').delete()
if (postgres) await administrator.raw('VACUUM FULL oidc_payload')
else await administrator.raw('VACUUM')
const perDay = Math.min(rows, 200_000)
console.log(`${perDay} rows a day, empty at first`)
await days(store, administrator, where, perDay)
await administrator.destroy()
await store.close()
await postgres?.stop()
