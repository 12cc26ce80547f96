import test, { type ExecutionContext } from 'ava'
import { type Heads, verifyAudit } from '#admin/audit.ts'
import { openCheckpoint } from '#jobs/checkpoint.ts'
import { openLog } from '#lib/log.ts'
import type { AuditEvent } from '#store/audit.ts'
import { openDatabase } from '#store/database.ts'
import { openStore, type Store } from '#store/store.ts'
import { buildStore, type Engine, engines } from '../helpers/database.ts'

const key = Buffer.alloc(32, 7)

/** Another process on the same database. */
function beside(t: ExecutionContext, { where }: Store): Store {
  const store = openStore(where)
  store.beginAudit(key)
  t.teardown(() => store.close())
  return store
}

/** One who can write the table: an intruder, or a careless administrator. */
function openTable(t: ExecutionContext, { where }: Store) {
  const knex = openDatabase(where)
  t.teardown(() => knex.destroy())
  return knex
}

async function dropGuards(knex: ReturnType<typeof openDatabase>, engine: Engine) {
  if (engine === 'postgres') return knex.raw('DROP TRIGGER audit_event_guard ON audit_event')
  await knex.raw('DROP TRIGGER audit_event_no_update')
  await knex.raw('DROP TRIGGER audit_event_no_delete')
}

const signIn = (at: number): AuditEvent => ({
  at,
  actor: `account-${at}`,
  action: 'session.sign-in',
  outcome: 'ok',
  address: '192.0.2.7',
  details: { county: '新北市', at },
})

const verify = ({ auditReads }: Store, anchor?: Heads) => verifyAudit({ auditReads, key }, anchor)

/** Two chains of ten; the second one saw the head of the first. */
async function buildTrail(t: ExecutionContext, engine: Engine) {
  const store = await buildStore(t, engine)
  for (let at = 1; at <= 10; at++) await store.audit.record(signIn(at))
  const other = beside(t, store)
  for (let at = 11; at <= 20; at++) await other.audit.record(signIn(at))
  const verdict = await verify(store)
  t.deepEqual(verdict.faults, [])
  t.is(verdict.events, 22)
  const [first = '', second = ''] = await store.auditReads.chains()
  return { store, first, second, heads: verdict.heads }
}

for (const engine of engines) {
  test(`${engine}: processes that write at once, in transactions that fail now and then, keep chains that hold`, async (t) => {
    const first = await buildStore(t, engine)
    const stores = [first, beside(t, first), beside(t, first), beside(t, first)]
    let kept = 0
    await Promise.all(
      stores.map(async (store, process) => {
        for (let at = 1; at <= 12; at++) {
          await Promise.all([
            store.audit.record(signIn(at)),
            store.transaction(async ({ clients, audit }) => {
              const id = `${process}-${at}`
              await clients.create({ id, metadata: {}, createdAt: at, updatedAt: at })
              await audit.record({ ...signIn(at), action: 'client.create', target: id })
              if (at % 4 === 0) throw new Error('changed my mind')
            }),
          ]).catch((error) => t.is(error.message, 'changed my mind'))
          kept += at % 4 === 0 ? 1 : 2
        }
      }),
    )
    const { faults, events } = await verify(first)
    t.deepEqual(faults, [])
    t.is(events, kept + (await first.auditReads.chains()).length)
    const created = await first.auditReads.list({ action: 'client.create', limit: 1_000 })
    t.deepEqual(
      created.map(({ target }) => target).sort(),
      (await first.clients.list()).map(({ id }) => id).sort(),
      'a client and its event stand or fall together',
    )
  })

  test(`${engine}: a trail that is written while it is read is whole`, async (t) => {
    const store = await buildStore(t, engine)
    const other = beside(t, store)
    const checkpoint = openCheckpoint(store, () => 40_000, openLog('silent'))
    let writing = true
    const writer = (async () => {
      for (let at = 1; writing; at++) {
        await Promise.all([store.audit.record(signIn(at)), other.audit.record(signIn(at))])
        if (at % 5 === 0) await checkpoint.run(new AbortController().signal)
      }
    })()
    for (let i = 0; i < 20; i++) t.deepEqual((await verify(store)).faults, [])
    writing = false
    await writer
  })

  test(`${engine}: the database itself refuses to change or remove an event`, async (t) => {
    const { store } = await buildTrail(t, engine)
    const knex = openTable(t, store)
    const refused = { message: /append-only/ }
    await t.throwsAsync(knex('audit_event').where({ seq: 2 }).update({ actor: 'nobody' }), refused)
    await t.throwsAsync(knex('audit_event').where({ seq: 2 }).delete(), refused)
    if (engine === 'postgres') await t.throwsAsync(knex('audit_event').truncate(), refused)
    t.is((await verify(store)).events, 22)
  })

  const tampering = {
    missing: { seq: 4, how: (table) => table().where({ seq: 4 }).delete() },
    changed: {
      seq: 5,
      how: (table) => table().where({ seq: 5 }).update({ actor: 'somebody else' }),
    },
    'changed, in its details': {
      seq: 5,
      how: (table) => table().where({ seq: 5 }).update({ details: 'no JSON any more' }),
    },
    moved: {
      seq: 3,
      async how(table) {
        await table().where({ seq: 3 }).update({ seq: 100 })
        await table().where({ seq: 6 }).update({ seq: 3 })
        await table().where({ seq: 100 }).update({ seq: 6 })
      },
    },
    forged: {
      seq: 12,
      how: async (table, row) => table().insert({ ...row, seq: 12, actor: 'made up' }),
    },
    cut: { seq: 9, how: (table) => table().where('seq', '>', 8).delete() },
  } satisfies Record<string, { seq: number; how: Tamper }>

  for (const [name, { seq, how }] of Object.entries(tampering)) {
    test(`${engine}: an event that is ${name} is named`, async (t) => {
      const { store, first } = await buildTrail(t, engine)
      const knex = openTable(t, store)
      await dropGuards(knex, engine)
      const table = () => knex('audit_event').where({ chain: first })
      await (how as Tamper)(table, await table().where({ seq: 11 }).first())
      const { faults } = await verify(store)
      t.is(faults.length, 1)
      t.like(faults[0], { chain: first, seq, kind: name.split(',')[0] })
      t.true(faults[0]?.message.includes(String(name === 'cut' ? 8 : seq)), faults[0]?.message)
    })
  }

  test(`${engine}: a chain that is gone altogether is missed by the one that saw it`, async (t) => {
    const { store, first, second } = await buildTrail(t, engine)
    const knex = openTable(t, store)
    await dropGuards(knex, engine)
    await knex('audit_event').where({ chain: first }).delete()
    const { faults } = await verify(store)
    t.like(faults[0], { chain: first, kind: 'missing' })
    t.regex(String(faults[0]?.message), new RegExp(`is gone; chain ${second} saw its event 11`))
  })

  test(`${engine}: the end nobody saw yet is kept by an hourly checkpoint, and by an anchor elsewhere`, async (t) => {
    const { store, second, heads } = await buildTrail(t, engine)
    const lines: string[] = []
    const log = openLog('info', { write: (line: string) => lines.push(line) })
    const knex = openTable(t, store)
    await dropGuards(knex, engine)
    const cut = () => knex('audit_event').where({ chain: second }).where('seq', '>', 6).delete()

    const third = beside(t, store)
    await openCheckpoint(third, () => 30_000, log).run(new AbortController().signal)
    const [line = '{}'] = lines
    t.like(JSON.parse(line), {
      msg: 'audit head',
      level: 'info',
      heads: { [second]: [11, heads[second]?.[1]] },
    })

    await cut()
    const { faults } = await verify(store)
    t.like(faults, [{ chain: second, seq: 7, kind: 'cut' }])
    const [latest] = (await store.auditReads.chains()).filter((chain) => !(chain in heads))
    await knex('audit_event').where({ chain: latest }).delete()
    t.deepEqual(
      (await verify(store)).faults,
      [],
      'with the witness gone too the database looks whole',
    )
    const anchored = await verify(store, heads)
    t.like(anchored.faults, [{ chain: second, seq: 7, kind: 'cut' }])
    t.regex(String(anchored.faults[0]?.message), /the anchor saw its event 11/)
  })

  test(`${engine}: who has the table but not the key writes no chain that holds`, async (t) => {
    const { store } = await buildTrail(t, engine)
    const forger = openStore(store.where)
    t.teardown(() => forger.close())
    forger.beginAudit(Buffer.alloc(32, 8))
    await forger.audit.record(signIn(21))
    t.like((await verify(store)).faults, [{ seq: 1, kind: 'forged' }])
  })
}

type Table = () => ReturnType<ReturnType<typeof openDatabase>>
type Tamper = (table: Table, row: object) => PromiseLike<unknown>
