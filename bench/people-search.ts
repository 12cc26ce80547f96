/**
 * `node bench/people-search.ts [people] [searches]`: how long staff wait for a page of people on PostgreSQL, with so many
 * people, by kind of search. DATABASE_URL names a server to fill and keep; else one is started and goes afterwards.
 */
import { loadavg } from 'node:os'
import { perform } from '#admin/operation.ts'
import { listPeople } from '#admin/operations/people.ts'
import type { AdminPorts } from '#admin/ports.ts'
import { type By, operatorBy } from '#admin/staff.ts'
import { openDatabase, type Where } from '#store/database.ts'
import { openStore } from '#store/store.ts'
import { startPostgres } from '../test/helpers/postgres.ts'
import { counties, fillPeople } from './people.ts'

const [people = '1000000', searches = '2000'] = process.argv.slice(2)
const count = Number(people)
const own = process.env.DATABASE_URL ? undefined : await startPostgres()
const url = process.env.DATABASE_URL ?? own?.url ?? ''
const where: Where = { engine: 'postgres', url }

const administrator = openDatabase({ engine: 'postgres', url, patienceMs: 3_600_000 })
const store = openStore(where)
await store.migrate()
const { rows: there } = await administrator.raw('SELECT 1 FROM account LIMIT 1')
if (there.length === 0) {
  const started = performance.now()
  await fillPeople(administrator, count)
  console.log(`${count} people made in ${((performance.now() - started) / 1000).toFixed(0)} s`)
}
const { rows: sizes } = await administrator.raw(
  `SELECT pg_total_relation_size('account_key') AS keys, pg_total_relation_size('account') AS accounts,
     (SELECT count(*) FROM account_key) AS n, (SELECT count(*) FROM account) AS people`,
)
const megabytes = (bytes: string) => `${(Number(bytes) / 1e6).toFixed(0)} MB`
console.log(
  `${sizes[0].people} people; ${sizes[0].n} keys, ${megabytes(sizes[0].keys)}; accounts ${megabytes(sizes[0].accounts)}`,
)

// A database that has been at work for a while has its rows in memory: 3 GB with so many people.
await administrator.raw('CREATE EXTENSION IF NOT EXISTS pg_prewarm')
await administrator.raw(`SELECT pg_prewarm(oid::regclass, 'read') FROM pg_class
  WHERE relkind IN ('r', 'i') AND relnamespace = current_schema()::regnamespace AND relpages > 0`)

// The operation asks for nothing else.
const keys = { data: Buffer.alloc(32) }
const ports = { store, keys, now: Date.now, config: { site: { local_accounts: {} } } } as AdminPorts
const everywhere = operatorBy('operator:bench')
const at = (county: string): By => ({
  ...everywhere,
  grants: [{ role: 'support', reach: `county:${county}` }],
})

let draw = 20_251_121
/** Between 0 and 1, the same at every run. */
const chance = () => {
  draw = (draw * 1_103_515_245 + 12_345) % 2_147_483_648
  return draw / 2_147_483_648
}
const someone = () => Math.floor(chance() * count)
const largest = counties[0] ?? ''
const smallest = counties.at(-1) ?? ''
const school = (n: number) => String(10_000 + n).padStart(6, '0')

type Search = { by?: By; input: Record<string, unknown>; pages?: number }
const kinds: Record<string, () => Search> = {
  'surname 王': () => ({ input: { q: '王' } }),
  'surname 王, tenth page': () => ({ input: { q: '王' }, pages: 10 }),
  'surname 王, largest county': () => ({ input: { q: '王', county: largest } }),
  'surname 王, smallest county': () => ({ input: { q: '王', county: smallest } }),
  'surname 王, suspended': () => ({ input: { q: '王', status: 'suspended' } }),
  'surname 王, closed, newest first': () => ({
    input: { q: '王', status: 'closed', sort: 'updated' },
  }),
  'given name 明': () => ({ input: { q: '明' } }),
  'whole name': () => ({ input: { q: '王小明' } }),
  'rare name': () => ({ input: { q: '歐陽菲菲' } }),
  'beginning of accounts': () => ({ input: { q: 'u1' } }),
  'one account': () => ({ input: { q: `u${someone()}` } }),
  'one address': () => ({ input: { q: `u${someone()}@mail.edu.tw` } }),
  'one subject': () => ({ input: { q: `subject-${someone()}` } }),
  'one letter': () => ({ input: { q: 'u' } }),
  nobody: () => ({ input: { q: `nobody-${someone()}` } }),
  school: () => ({ input: { school: school(Math.floor(chance() * 4_000)) } }),
  'school and name': () => ({ input: { q: '王', school: school(someone() % 4_000) } }),
  'largest school and name': () => ({ input: { q: '王', school: school(4_000) } }),
  'everybody, newest first': () => ({ input: {} }),
  'everybody, tenth page': () => ({ input: {}, pages: 10 }),
  'largest county': () => ({ input: { county: largest } }),
  'smallest county': () => ({ input: { county: smallest } }),
  suspended: () => ({ input: { status: 'suspended' } }),
  'closed, by when they came': () => ({ input: { status: 'closed', sort: 'created' } }),
  'closed, of the largest county': () => ({ input: { status: 'closed', county: largest } }),
  'a county’s staff: 王': () => ({ by: at(smallest), input: { q: '王' } }),
  'a county’s staff: 王, middle county': () => ({ by: at(counties[10] ?? ''), input: { q: '王' } }),
  'a county’s staff: a subject elsewhere': () => ({
    by: at(smallest),
    input: { q: `subject-${someone()}` },
  }),
}

async function once({ by = everywhere, input, pages = 1 }: Search): Promise<[number, number]> {
  let cursor: string | undefined
  let took = 0
  let found = 0
  for (let page = 1; page <= pages; page++) {
    const started = performance.now()
    const outcome = await perform(ports, by, listPeople, { ...input, ...(cursor && { cursor }) })
    took = performance.now() - started
    if (outcome.kind !== 'done') throw new Error(JSON.stringify(outcome))
    found = outcome.value.items.length
    cursor = outcome.value.next
    if (!cursor) break
  }
  return [took, found]
}

const sorted = (times: number[]) => [...times].sort((a, b) => a - b)
const part = (times: number[], share: number) =>
  (sorted(times)[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0)
    .toFixed(1)
    .padStart(7)

const rounds = Math.ceil(Number(searches) / Object.keys(kinds).length)
const times = new Map<string, number[]>()
const founds = new Map<string, number>()
for (const search of Object.values(kinds)) await once(search())
for (let round = 0; round < rounds; round++) {
  // One after the other, so that none has the cache to itself.
  for (const [kind, search] of Object.entries(kinds)) {
    const [took, found] = await once(search())
    times.set(kind, [...(times.get(kind) ?? []), took])
    founds.set(kind, Math.max(founds.get(kind) ?? 0, found))
  }
}
const load = () =>
  loadavg()
    .map((one) => one.toFixed(1))
    .join(' ')
console.log(`load ${load()}; milliseconds, each of ${rounds} pages of 50`)
console.log('    p50     p99     max  found')
for (const [kind, list] of times) {
  console.log(
    `${part(list, 0.5)} ${part(list, 0.99)} ${part(list, 1)}  ${String(founds.get(kind)).padStart(5)}  ${kind}`,
  )
}
const every = [...times.values()].flat()
console.log(
  `${part(every, 0.5)} ${part(every, 0.99)} ${part(every, 1)}         all ${every.length}`,
)
await store.close()
await administrator.destroy()
await own?.stop()
