/**
 * `node bench/import-people.ts [sqlite|postgres] [rows]`: how long it takes to bring so many people in, what memory that
 * takes above the idle server, and how long somebody who signs in meanwhile waits. One process does all of it: the import
 * has no quiet corner.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { exportPeople } from '#admin/imports/export.ts'
import { importJob, receiveImport } from '#admin/imports/receive.ts'
import { perform } from '#admin/operation.ts'
import { getImport, startImport } from '#admin/operations/imports.ts'
import { operatorBy } from '#admin/staff.ts'
import { loadConfig } from '#config/load.ts'
import { openLog } from '#lib/log.ts'
import { openApp } from '../src/app.ts'
import { listen } from '../src/opening/listening.ts'
import { openBrowser } from '../test/helpers/browser.ts'
import { makeLocalAccount } from '../test/helpers/local-account.ts'
import { startPostgres } from '../test/helpers/postgres.ts'

const [engine = 'sqlite', size = '100000'] = process.argv.slice(2)
const rows = Number(size)
const dataDir = mkdtempSync(join(tmpdir(), 'citygate-import-'))
const postgres = engine === 'postgres' ? await startPostgres({ careless: false }) : undefined
const port = 20_000 + (process.pid % 20_000)
const config = loadConfig({
  PORT: String(port),
  SANDBOX: 'off',
  DATA_DIR: dataDir,
  ...(postgres ? { DATABASE_URL: postgres.url } : {}),
})
const app = await openApp(
  { ...config, site: { ...config.site, agreements: [] } },
  // What a hash costs is no part of this; the limits of one address neither.
  { log: openLog('silent'), passwordCost: { memoryCost: 1_024, timeCost: 1 } },
)
const { house } = app
const server = await listen(house)
const by = operatorBy('operator:bench')
const person = { account: 'bench@mail.edu.tw', password: 'a long enough password', name: '王' }
await makeLocalAccount(house, person)

const waits: number[] = []
let ended = false
async function signIns() {
  while (!ended) {
    const browser = openBrowser({ 'user-agent': 'bench' })
    const started = performance.now()
    const page = await browser.open(`${config.issuer}/account`)
    if (page.document.querySelector('#local-form'))
      await browser.submit(page, 'local-form', {
        account: person.account,
        password: person.password,
      })
    else console.log(`a sign-in was answered ${page.status}`)
    waits.push(performance.now() - started)
    await sleep(100)
  }
}
const at = (part: number, list: number[]) =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length * part)] ?? 0
const delays = monitorEventLoopDelay({ resolution: 5 })
delays.enable()
let peak = 0
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss())
}, 50).unref()
const MB = (bytes: number) => `${Math.round(bytes / 1e6)} MB`

let idle = 0
async function measured<T>(what: string, work: () => Promise<T>): Promise<T> {
  waits.length = 0
  delays.reset()
  peak = process.memoryUsage.rss()
  const started = performance.now()
  const result = await work()
  const seconds = (performance.now() - started) / 1000
  const ms = (value: number) => `${value.toFixed(0)} ms`
  console.log(
    `${what.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s · RSS at most ${MB(peak)}${idle ? `, ${MB(peak - idle)} above idle` : ''} · ` +
      `event loop p99 ${ms(delays.percentile(99) / 1e6)}, max ${ms(delays.max / 1e6)} · ` +
      `${waits.length} sign-ins, median ${ms(at(0.5, waits))}, p99 ${ms(at(0.99, waits))} · load ${loadavg()[0]?.toFixed(1)}`,
  )
  return result
}

async function* file() {
  yield Buffer.from(
    'account,name,email,email_verified,password_hash,county,subject,school_code,role\n',
  )
  const hash = '$2b$10$uO51hSBBPVBb5VKD5SDaO.1JelWaCMUB5cNC2q6LW0.bgTgBQI.HK'
  for (let i = 0; i < rows; i += 500) {
    const lines = Array.from(
      { length: Math.min(500, rows - i) },
      (_, k) =>
        `u${i + k},王小明${k},u${i + k}@x.tw,yes,${hash},ntpc,subject-${i + k},014569,teacher\n`,
    )
    yield Buffer.from(lines.join(''))
  }
}

async function until(id: string, state: string) {
  for (let looks = 0; ; looks++) {
    // As the clock would: what a slow moment of the database broke off goes on.
    if (looks % 200 === 0)
      house.background.run(importJob).catch(({ message }) => console.log(message))
    const found = await perform(house, by, getImport, { id })
    if (found.kind === 'done' && found.value.state === state) return found.value
    if (found.kind === 'done' && found.value.state === 'failed') throw new Error('it failed')
    await sleep(50)
  }
}

console.log(`${rows} rows, ${engine}`)
const signing = signIns()
await sleep(2_000)
await measured('idle', () => sleep(5_000))
idle = peak
const id = await measured('upload', async () => {
  const received = await receiveImport(house, by, file(), { file: 'bench.csv' })
  if (received.kind !== 'done') throw new Error(JSON.stringify(received))
  return received.value.id
})
await measured('check', () => until(id, 'checked'))
await perform(house, by, startImport, { id })
const done = await measured('import', () => until(id, 'done'))
console.log(`created ${done.created}, refused ${done.refused}`)
await measured('export', async () => {
  const outcome = await exportPeople(house, by, {})
  let bytes = 0
  if (outcome.kind === 'done') for await (const text of outcome.value) bytes += text.length
  return bytes
})
ended = true
await signing
await server.close()
await app.close()
await postgres?.stop()
rmSync(dataDir, { recursive: true, force: true })
