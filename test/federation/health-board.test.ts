/** Two processes on one database: what one learns of an upstream the other knows, and only one of them tries. */
import test, { type ExecutionContext } from 'ava'
import { UpstreamError } from '#errors.ts'
import type { Connector } from '#federation/connector.ts'
import { guardConnector } from '#federation/guarded.ts'
import { deriveKey } from '#lib/crypto.ts'
import { openLog } from '#lib/log.ts'
import type { Store } from '#store/store.ts'
import { openUpstreamHealth } from '../../src/opening/upstream-health.ts'
import { buildStore, engines } from '../helpers/database.ts'

type Answer = 'ok' | 'unreachable' | 'slow' | 'nonsense'

/** An upstream that does as it is told, seen by one process. */
function openProcess(t: ExecutionContext, store: Store, clock: { now: number }) {
  const lines: string[] = []
  const now = () => clock.now
  const board = openUpstreamHealth({
    store,
    connectors: ['tn', 'kh'].map((id) => ({ id, credentials: {} })) as never,
    log: openLog('info', { write: (line) => void lines.push(line) }),
    now,
  })
  t.teardown(() => board.close())
  const upstream: { answer: Answer; cause?: Error; probes: number; begins: number } = {
    answer: 'ok',
    probes: 0,
    begins: 0,
  }
  const work = async () => {
    const { answer, cause } = upstream
    if (answer !== 'ok') throw new UpstreamError('tn', answer, 'said', cause && { cause })
  }
  const connector: Connector = {
    id: 'tn',
    origins: [],
    servers: [],
    async begin() {
      upstream.begins++
      return { url: 'https://tn.example', memo: {} }
    },
    async complete() {
      await work()
      return {} as never
    },
    async probe() {
      upstream.probes++
      await work()
    },
  }
  const own = { share: 0 }
  const guarded = guardConnector(connector, { board, now, strain: () => () => own.share })
  return {
    board,
    upstream,
    own,
    lines,
    begin: () => guarded.begin({} as never),
    complete: () => guarded.complete({} as never, {}).catch(() => {}),
    probe: () => guarded.probe(),
    isDown: () => board.isDown('tn'),
  }
}

const start = Date.UTC(2031, 7, 1)

async function openTwo(t: ExecutionContext, engine?: 'sqlite' | 'postgres') {
  const store = await buildStore(t, engine)
  store.beginAudit(deriveKey(Buffer.alloc(32, 1), 'audit'))
  const clock = { now: start }
  return { store, clock, one: openProcess(t, store, clock), two: openProcess(t, store, clock) }
}

for (const engine of engines) {
  test(`${engine}: an outage one process sees is known to the other, told and written down once`, async (t) => {
    const { store, clock, one, two } = await openTwo(t, engine)
    one.upstream.answer = 'unreachable'
    two.upstream.answer = 'unreachable'
    for (let i = 0; i < 3; i++) await one.complete()
    t.true(one.isDown())
    t.false(two.isDown())
    // At the same moment, by its own people.
    for (let i = 0; i < 3; i++) await two.complete()
    await Promise.all([one.board.look(), two.board.look()])
    t.true(two.isDown())
    t.false(one.board.isDown('kh'), 'another county is another matter')
    const told = [...one.lines, ...two.lines].filter((line) => line.includes('upstream is down'))
    t.is(told.length, 1)
    t.like(JSON.parse(told[0] ?? ''), { level: 'warn', connector: 'tn', failure: 'unreachable' })

    two.upstream.answer = 'ok'
    clock.now += 60_000
    await two.complete()
    t.false(two.isDown())
    await two.board.look()
    await one.board.look()
    t.false(one.isDown())
    t.like(one.board.find('tn'), { state: 'ok', since: clock.now / 1000 })
    const events = await store.auditReads.list({ action: 'upstream.state', limit: 10 })
    t.deepEqual(events.map(({ target, outcome }) => [target, outcome]).sort(), [
      ['connector:tn', 'down'],
      ['connector:tn', 'ok'],
    ])
  })
}

test('while it is down nobody is sent there, but for one trial of all processes in fifteen seconds', async (t) => {
  const { clock, one, two } = await openTwo(t)
  one.upstream.answer = 'unreachable'
  two.upstream.answer = 'unreachable'
  for (let i = 0; i < 3; i++) await t.throwsAsync(one.probe())
  await one.board.look()
  await two.board.look()
  one.upstream.probes = 0

  const crowd = () =>
    Promise.allSettled([one, two, one, two, one, two].map((process) => process.begin()))
  t.true((await crowd()).every(({ status }) => status === 'rejected'))
  t.is(one.upstream.probes + two.upstream.probes, 1)
  t.is(one.upstream.begins + two.upstream.begins, 0)
  clock.now += 14_000
  await crowd()
  t.is(one.upstream.probes + two.upstream.probes, 1)

  one.upstream.answer = 'ok'
  two.upstream.answer = 'ok'
  clock.now += 1_000
  const tried = await crowd()
  t.true(tried.some(({ status }) => status === 'fulfilled'))
  t.is(one.upstream.probes + two.upstream.probes, 2)
  await one.board.look()
  await two.board.look()
  await one.board.look()
  t.true((await crowd()).every(({ status }) => status === 'fulfilled'))
})

test('who leaves, comes back with nonsense or never, neither closes the gate nor keeps it closed', async (t) => {
  const { clock, one } = await openTwo(t)
  one.upstream.answer = 'nonsense'
  for (let i = 0; i < 50; i++) {
    await one.begin()
    await one.complete()
  }
  t.false(one.isDown())
  one.upstream.answer = 'unreachable'
  for (let i = 0; i < 3; i++) await one.complete()
  t.true(one.isDown())
  // The trial is nobody's but ours: somebody who takes the turn and goes away has opened it for all.
  one.upstream.answer = 'ok'
  await one.begin()
  clock.now += 1
  t.false(one.isDown())
})

test('one call that fails all who waited for it is one failure, not one for each of them', async (t) => {
  const { one } = await openTwo(t)
  one.upstream.answer = 'unreachable'
  one.upstream.cause = new Error('the call')
  for (let i = 0; i < 20; i++) await one.complete()
  t.false(one.isDown())
  for (let i = 0; i < 2; i++) {
    one.upstream.cause = new Error('another call')
    await one.complete()
  }
  t.true(one.isDown())
})

test('a process that is late itself blames nobody for being slow', async (t) => {
  const { one } = await openTwo(t)
  one.upstream.answer = 'slow'
  one.own.share = 0.95
  for (let i = 0; i < 5; i++) await one.complete()
  t.is(one.board.find('tn'), undefined)
  one.own.share = 0.5
  for (let i = 0; i < 3; i++) await one.complete()
  t.true(one.isDown())
})

test('without a database it goes on by what it knows, says so once, and writes it down later', async (t) => {
  const { store, one, two } = await openTwo(t)
  const { change, look } = store.upstreamStatuses
  const away = async () => {
    throw new Error('the database is away')
  }
  store.upstreamStatuses.change = away
  store.upstreamStatuses.look = away
  one.upstream.answer = 'unreachable'
  for (let i = 0; i < 3; i++) await one.complete()
  t.true(one.isDown())
  await one.board.look()
  await one.board.look()
  t.is(one.lines.filter((line) => line.includes('cannot be shared')).length, 1)
  Object.assign(store.upstreamStatuses, { change, look })
  await one.board.look()
  await two.board.look()
  t.true(two.isDown())
})

test('what was seen is written down without a change of state, and a certificate is not forgotten', async (t) => {
  const { clock, one, two } = await openTwo(t)
  await one.probe()
  await one.board.note('tn', 2_000_000_000)
  clock.now += 60_000
  await one.probe()
  await one.board.note('tn')
  await two.board.look()
  t.like(two.board.find('tn'), {
    state: 'ok',
    checkedAt: clock.now / 1000,
    certificateExpiresAt: 2_000_000_000,
  })
})

test('it answers calls and fails people: one of them in fifteen seconds is the trial, whichever process sees her', async (t) => {
  const { clock, one, two } = await openTwo(t)
  const fail = async () => {
    one.upstream.answer = 'slow'
    for (let i = 0; i < 3; i++) await one.complete()
    one.upstream.answer = 'ok'
    await one.board.look()
    await two.board.look()
  }
  await fail()
  await two.probe()
  await two.board.look()
  await one.board.look()
  t.false(one.isDown(), 'once may be a moment’s')
  await fail()
  await two.probe()
  t.true(two.isDown(), 'a probe finds it well, and is not believed')
  t.like(two.board.find('tn'), { relapsed: true })

  const began = one.upstream.begins + two.upstream.begins
  clock.now += 15_000
  const people = [one, two, one, two].map((process) => process.begin())
  const left = (await Promise.allSettled(people)).filter(({ status }) => status === 'fulfilled')
  t.is(left.length, 1)
  t.is(one.upstream.begins + two.upstream.begins, began + 1)
  t.true(one.isDown() && two.isDown(), 'nothing is known before she is back')
  await two.complete()
  await two.board.look()
  await one.board.look()
  t.false(one.isDown())
})

test('a crowd before a closed gate does not ask the database one by one', async (t) => {
  const { store, clock, one } = await openTwo(t)
  one.upstream.answer = 'unreachable'
  for (let i = 0; i < 3; i++) await one.complete()
  await one.board.look()
  const crowd = () => Promise.allSettled(Array.from({ length: 50 }, () => one.begin()))
  const before = store.statements()
  await crowd()
  await crowd()
  t.is(store.statements() - before, 1)
  // Another process has the turn.
  clock.now += 15_000
  await store.leases.take('trial:tn', 'other', clock.now / 1000, clock.now / 1000 + 15)
  const later = store.statements()
  for (let seconds = 0; seconds < 5; seconds++) {
    clock.now += 1_000
    await crowd()
  }
  t.is(store.statements() - later, 5)
  clock.now -= 2 * 3_600_000
  await crowd()
  t.is(one.upstream.probes, 2, 'a clock that was put back keeps nobody from trying')
})

test('what could not be told while it was news does not undo what others found since', async (t) => {
  const { store, clock, one, two } = await openTwo(t)
  const { change } = store.upstreamStatuses
  store.upstreamStatuses.change = async () => {
    throw new Error('the database is away')
  }
  one.upstream.answer = 'unreachable'
  for (let i = 0; i < 3; i++) await one.complete()
  await one.board.look()
  store.upstreamStatuses.change = change
  await two.probe()
  await two.board.note('tn')
  clock.now += 3 * 60_000
  await one.board.look()
  await two.board.look()
  t.false(two.isDown())
  t.false(one.isDown())
})

test('an upstream now slow, now quick fills no audit trail', async (t) => {
  const { store, one } = await openTwo(t)
  for (let i = 0; i < 9; i++) one.board.hear('tn', { kind: 'ok', ms: i % 3 ? 4_000 : 100 })
  await one.board.look()
  for (let i = 0; i < 3; i++) one.board.hear('tn', { kind: 'ok', ms: 100 })
  await one.board.look()
  t.deepEqual(await store.auditReads.list({ action: 'upstream.state', limit: 10 }), [])
  t.deepEqual(one.lines, [])
})
