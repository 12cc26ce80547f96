import test, { type ExecutionContext } from 'ava'
import type { AuditEvent, AuditPlace } from '#store/audit.ts'
import {
  type AuditFilter,
  type AuditOrder,
  type AuditSearch,
  openAuditSearch,
} from '#store/audit-search.ts'
import { openDatabase } from '#store/database.ts'
import { openStore } from '#store/store.ts'
import { buildStore, engines } from '../helpers/database.ts'

const person = '6f1c2f5e-58f5-4b9e-8d6c-0d9e6f1f3a11'

/** Sign-ins and other things by turns, some of them in the same second, in two chains. */
const events = Array.from(
  { length: 60 },
  (_, i): AuditEvent => ({
    at: 1000 + Math.floor(i / 3),
    actor: i % 4 === 0 ? person : `other-${i % 3}`,
    action:
      i % 2 === 0 ? 'session.sign-in' : (['client.change', 'session.end'][i % 3] ?? 'key.publish'),
    // Sign-ins are to apps.
    target: i % 5 === 0 && i % 2 ? person : 'client:courses',
    outcome: i % 7 === 0 ? 'wrong' : 'ok',
    address: `10.0.0.${i % 6}`,
    ref: `ref-${i}`,
  }),
)

/** All a search finds, page by page, and how many pages that were. */
async function all(search: AuditSearch, filter: AuditFilter, limit = 4, order?: AuditOrder) {
  const found: string[] = []
  let place: AuditPlace | undefined
  let pages = 0
  do {
    const { rows, next } = await search.search(filter, place, limit, order)
    found.push(...rows.map(({ ref }) => ref))
    place = next
    pages++
  } while (place && pages < 100)
  return { found, pages }
}

const fits = (filter: AuditFilter) => (event: AuditEvent) =>
  (['actor', 'target', 'outcome', 'address', 'ref'] as const).every(
    (name) => filter[name] === undefined || filter[name] === event[name],
  ) &&
  event.action.startsWith(filter.action ?? '') &&
  event.at >= (filter.since ?? 0) &&
  event.at < (filter.until ?? Infinity)

const questions: AuditFilter[] = [
  { actor: person },
  { target: person },
  { target: 'client:courses' },
  { actor: person, target: 'client:courses' },
  { action: 'session.' },
  { action: 'session.sign-in', actor: 'other-1' },
  { action: 'key.', target: 'client:courses' },
  { action: 'session.sign-inn' },
  { outcome: 'wrong', since: 1003, until: 1012 },
  { address: '10.0.0.3', actor: person },
  { ref: 'ref-17' },
  { actor: 'nobody' },
]

async function contract(t: ExecutionContext, engine: (typeof engines)[number]) {
  const store = await buildStore(t, engine)
  const other = openStore(store.where)
  other.beginAudit(Buffer.alloc(32, 7))
  t.teardown(() => other.close())
  for (const [i, event] of events.entries()) await (i % 3 ? store : other).audit.record(event)
  const knex = openDatabase(store.where)
  t.teardown(() => knex.destroy())
  // One that may read all, and one that has to go on again and again.
  const patient = openAuditSearch(knex, { run: async () => [] }, 1000)
  const hasty = openAuditSearch(knex, { run: async () => [] }, 7)
  for (const filter of questions) {
    const wanted = events.filter(fits(filter)).map(({ ref }) => ref)
    for (const search of [patient, hasty]) {
      const { found } = await all(search, filter)
      const title = JSON.stringify(filter)
      t.deepEqual([...found].sort(), [...(wanted as string[])].sort(), title)
      const times = found.map((ref) => events[Number(ref.slice(4))]?.at ?? 0)
      t.deepEqual(
        times,
        [...times].sort((a, b) => b - a),
        `newest first: ${title}`,
      )
      const oldest = await all(search, filter, 4, 'oldest')
      t.deepEqual(oldest.found, found.toReversed(), `oldest first: ${title}`)
    }
  }
  const { rows, next } = await hasty.search({ ref: 'ref-0' }, undefined, 4)
  t.deepEqual(rows, [], 'nothing so far')
  t.truthy(next, 'but it says where to go on')
  t.is((await all(patient, { ref: 'ref-0' })).pages, 1)
}

for (const engine of engines) {
  test(`${engine}: each question finds all that fits, once, newest first, however little it reads at a time`, (t) =>
    contract(t, engine))
}

test('postgres: where the database sorts as a language does, events of the same second are found once', async (t) => {
  const store = await buildStore(t, 'postgres')
  const knex = openDatabase(store.where)
  t.teardown(() => knex.destroy())
  // As a server of Debian's or of the image sorts: `a` before `Z`.
  await knex.raw('ALTER TABLE audit_event ALTER chain TYPE varchar(22) COLLATE "en-x-icu"')
  const chains = ['Zebra', 'apple', 'Bear', 'cat']
  const same = { at: 1000, actor: person, outcome: 'ok', address: '', details: '{}', hash: '' }
  const rows = chains.flatMap((chain) =>
    ['session.sign-in', 'session.end', 'session.sign-in'].map((action, i) => {
      const seq = i + 1
      return { ...same, chain, seq, action, target: '', ref: `${chain} ${seq}` }
    }),
  )
  await knex('audit_event').insert(rows)
  for (const filter of [{ actor: person }, {}, { action: 'session.' }]) {
    const { found } = await all(openAuditSearch(knex, { run: async () => [] }, 3), filter, 2)
    const oldest = await all(openAuditSearch(knex, { run: async () => [] }, 3), filter, 2, 'oldest')
    t.deepEqual(oldest.found, found.toReversed(), JSON.stringify(filter))
    t.deepEqual(found.sort(), rows.map(({ ref }) => ref).sort(), JSON.stringify(filter))
  }
})
