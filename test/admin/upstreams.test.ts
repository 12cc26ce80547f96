/** What staff do about upstreams, straight through the one gate; and what is kept of how they fared. */
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { perform } from '#admin/operation.ts'
import {
  addUpstreamNotice,
  getUpstream,
  listUpstreamEvents,
  listUpstreams,
  probeUpstream,
  removeUpstreamNotice,
  switchUpstreamOff,
  switchUpstreamOn,
  upstreamsOperations,
} from '#admin/operations/upstreams.ts'
import { type By, operatorBy } from '#admin/staff.ts'
import { availabilityOf, firstDayBegins, shareOf } from '#admin/upstreams/availability.ts'
import { passedOf } from '#admin/upstreams/stages.ts'
import { UpstreamError } from '#errors.ts'
import type { Connector } from '#federation/connector.ts'
import type { UpstreamEventRow } from '#store/store.ts'
import { keptEvents, openTrimming } from '../../src/jobs/trim-upstream-events.ts'
import { openUpstreamHealth } from '../../src/opening/upstream-health.ts'
import { buildStore, engines } from '../helpers/database.ts'
import { buildIdentity } from '../helpers/people.ts'
import { connectUpstream } from '../helpers/upstreams.ts'
import { buildWorld } from '../helpers/world.ts'

const owner: By = { ...operatorBy('owner-1'), where: { address: '10.0.0.1', ref: 'REF1' } }
const support = (county: string): By => ({
  ...owner,
  actor: `support-${county}`,
  grants: [{ role: 'support', reach: `county:${county}` }],
})

const canned = (over: Partial<Connector> = {}): Connector => ({
  id: 'ntpc',
  origins: [],
  servers: [],
  probe: async () => {},
  begin: async (trip) => ({ url: `${trip.callbackUrl}?state=${trip.state}`, memo: {} }),
  complete: async () => buildIdentity(),
  ...over,
})

const failure = (at: number, over: Partial<UpstreamEventRow> = {}): UpstreamEventRow => ({
  id: randomUUID(),
  connector: 'ntpc',
  at,
  kind: 'failure',
  what: 'slow',
  ref: 'R',
  detail: {},
  ...over,
})

for (const engine of engines) {
  test(`${engine}: of failures the last are kept, changes of state are pushed out by none of them`, async (t) => {
    const { upstreamEvents: events } = await buildStore(t, engine)
    const at = 2_000_000_000
    await events.record(failure(at, { kind: 'state', what: 'down' }))
    await events.record(failure(at - 41 * 86_400, { kind: 'state', what: 'ok' }))
    for (let i = 0; i < 5; i++) {
      await events.recordFailure(failure(at + i), { since: at, most: 3 })
      await events.recordFailure(failure(at + i, { connector: 'kh' }), { since: at, most: 300 })
    }
    t.deepEqual(
      (await events.failures(at)).sort((a, b) => a.count - b.count),
      [
        { connector: 'ntpc', what: 'slow', count: 3, last: at + 2 },
        { connector: 'kh', what: 'slow', count: 5, last: at + 4 },
      ],
      'anybody can come back with nonsense many times, and each upstream has its own',
    )
    await events.trim({ failures: 2, others: 10, before: at - 40 * 86_400 })
    const left = await events.list('ntpc', { limit: 10 })
    t.deepEqual(
      left.map(({ what, at: when }) => [what, when - at]),
      [
        ['slow', 2],
        ['slow', 1],
        ['down', 0],
      ],
    )
    const [, second] = left
    const rest = await events.list('ntpc', { ...(second && { before: second }), limit: 10 })
    t.deepEqual(
      rest.map(({ what }) => what),
      ['down'],
    )
    t.is((await events.list('ntpc', { kind: 'failure', limit: 10 })).length, 2)
    t.is(keptEvents.failures, 200)
    await openTrimming({ upstreamEvents: events }, () => at * 1000).run(
      new AbortController().signal,
    )
  })

  test(`${engine}: what staff switch off every process knows when it looks next, and what changes is written once`, async (t) => {
    const store = await buildStore(t, engine)
    const clock = { now: Date.UTC(2031, 7, 1) }
    const open = () => {
      const board = openUpstreamHealth({
        store,
        connectors: ['tn', 'kh'].map((id) => ({ id, credentials: {} })) as never,
        log: { info() {}, warn() {}, error() {}, debug() {} } as never,
        now: () => clock.now,
      })
      t.teardown(() => board.close())
      return board
    }
    const [one, two] = [open(), open()]
    const row = { connector: 'tn', offAt: 5, switchedBy: 'owner-1', reason: 'why' }
    t.deepEqual(
      await Promise.all([
        store.upstreamSwitches.switchOff(row),
        store.upstreamSwitches.switchOff(row),
      ]).then((all) => all.sort()),
      [false, true],
    )
    await Promise.all([one.look(), two.look()])
    t.is(one.offSince('tn'), 5)
    t.is(two.offSince('tn'), 5)
    t.is(two.offSince('kh'), undefined)
    t.true(await store.upstreamSwitches.switchOn('tn'))
    t.false(await store.upstreamSwitches.switchOn('tn'))
    await two.look()
    t.is(two.offSince('tn'), undefined)

    const fails = { kind: 'failed', failure: 'unreachable' } as const
    for (const board of [one, two]) for (let i = 0; i < 3; i++) board.hear('tn', fails)
    await Promise.all([one.look(), two.look()])
    clock.now += 60_000
    one.hear('tn', { kind: 'ok', ms: 10 })
    await one.look()
    clock.now += 1_000
    for (let i = 0; i < 3; i++) one.hear('tn', { ...fails, returned: true })
    await one.look()
    const changes = await store.upstreamEvents.changes('tn', 0)
    t.deepEqual(
      changes.map(({ what, detail }) => [what, detail.before]),
      [
        ['down', 'ok'],
        ['ok', 'down'],
        ['relapse', 'ok'],
      ],
    )
    t.is(changes[0]?.detail.failure, 'unreachable')
    t.deepEqual(await store.upstreamEvents.changes('kh', 0), [])
  })
}

test('a county’s staff see and act on their own county, and of another one hear what of one there is not', async (t) => {
  const world = await buildWorld(t)
  const { house } = world
  connectUpstream(world, canned())
  const hers = support('ntpc')
  const listed = await perform(house, hers, listUpstreams, {})
  t.deepEqual(listed.kind === 'done' && listed.value.items.map(({ id }) => id), ['ntpc'] as never)
  t.is((await perform(house, hers, getUpstream, { id: 'ntpc' })).kind, 'done')
  const text = { 'zh-TW': '維護', en: 'Maintenance' }
  const times = {
    from: '2020-01-01 10:00',
    until: new Date(Date.now() + 3_600_000).toISOString().slice(0, 16).concat('Z'),
  }
  const notice = await perform(house, owner, addUpstreamNotice, {
    id: 'kh',
    text,
    from: new Date().toISOString().slice(0, 16).concat('Z'),
    until: times.until,
  })
  if (notice.kind !== 'done') return t.fail(JSON.stringify(notice))
  const inputs: Record<string, object> = {
    'upstreams.switchOff': { reason: 'x' },
    'upstreams.notices.add': { text, ...times },
    'upstreams.notices.remove': { notice: notice.value.id },
  }
  for (const one of upstreamsOperations.slice(1)) {
    for (const id of ['kh', 'nowhere', '*', '%']) {
      const outcome = await perform(house, hers, one, { id, ...inputs[one.id] })
      t.deepEqual(outcome, { kind: 'unknown' }, `${one.id} ${id}`)
    }
  }
  // Another county's notice under her own county's name.
  const stolen = { id: 'ntpc', notice: notice.value.id }
  t.deepEqual(await perform(house, hers, removeUpstreamNotice, stolen), { kind: 'unknown' })
  t.is((await house.store.upstreamNotices.list(0)).length, 1)
  const gone = { id: 'kh', notice: notice.value.id }
  t.is((await perform(house, owner, removeUpstreamNotice, gone)).kind, 'done')
  t.deepEqual(await perform(house, owner, removeUpstreamNotice, gone), { kind: 'unknown' })

  const auditor: By = { ...owner, grants: [{ role: 'auditor', reach: '' }] }
  t.is((await perform(house, auditor, listUpstreams, {})).kind, 'done')
  t.deepEqual(await perform(house, auditor, switchUpstreamOn, { id: 'ntpc' }), {
    kind: 'forbidden',
  })
  const stale = { ...owner, fresh: false }
  const off = { id: 'ntpc', reason: 'x' }
  t.deepEqual(await perform(house, stale, switchUpstreamOff, off), { kind: 'not-fresh' })
  const more = { ...off, switchedBy: 'somebody else' }
  t.like(await perform(house, owner, switchUpstreamOff, more), { kind: 'rejected' })
  t.like(await perform(house, owner, switchUpstreamOff, { ...off, reason: ' ' }), {
    kind: 'rejected',
    problems: [{ field: 'reason', code: 'empty' }],
  })
})

test('switched off, it is closed in this process at once, and who did it and why is in the history and the trail', async (t) => {
  const world = await buildWorld(t)
  const { house } = world
  connectUpstream(world, canned())
  const off = { id: 'ntpc', reason: '金鑰外洩 <b>' }
  t.true(house.trips.connectors.has('ntpc'))
  const both = await Promise.all([
    perform(house, owner, switchUpstreamOff, off),
    perform(house, owner, switchUpstreamOff, off),
  ])
  t.deepEqual(both.map(({ kind }) => kind).sort(), ['conflict', 'done'])
  t.false(house.trips.connectors.has('ntpc'))
  t.deepEqual([...house.trips.connectors.keys()], [])
  const got = await perform(house, owner, getUpstream, { id: 'ntpc' })
  t.like(got, {
    kind: 'done',
    value: { opening: 'off', switchedOff: { by: 'owner-1', reason: '金鑰外洩 <b>' } },
  })
  const events = await perform(house, support('ntpc'), listUpstreamEvents, { id: 'ntpc' })
  t.like(events, {
    kind: 'done',
    value: { items: [{ kind: 'switch', what: 'off', by: 'owner-1', ref: 'REF1' }] },
  })
  t.is((await perform(house, owner, switchUpstreamOn, { id: 'ntpc' })).kind, 'done')
  t.like(await perform(house, owner, switchUpstreamOn, { id: 'ntpc' }), { kind: 'conflict' })
  t.true(house.trips.connectors.has('ntpc'))
  const trail = await house.store.auditReads.list({ limit: 10 })
  const switches = trail.filter(({ action }) => action.startsWith('upstream.switch'))
  t.deepEqual(
    switches
      .map(({ action, actor, target, address, ref }) => [action, actor, target, address, ref])
      .sort(),
    [
      ['upstream.switch-off', 'owner-1', 'connector:ntpc', '10.0.0.1', 'REF1'],
      ['upstream.switch-on', 'owner-1', 'connector:ntpc', '10.0.0.1', 'REF1'],
    ],
  )
})

test('a probe by hand says what failed; of one nobody connected it says so', async (t) => {
  const world = await buildWorld(t)
  const { house } = world
  let well = true
  const probe = async () => {
    if (!well) throw new UpstreamError('ntpc', 'unreachable', 'discovery: HTTP 503')
  }
  connectUpstream(world, canned({ probe }))
  const ask = () => perform(house, owner, probeUpstream, { id: 'ntpc' })
  t.like(await ask(), { kind: 'done', value: { answers: true } })
  well = false
  t.like(await ask(), {
    kind: 'done',
    value: { answers: false, failure: 'unreachable', why: 'ntpc: discovery: HTTP 503' },
  })
  const away = await perform(house, owner, probeUpstream, { id: 'kh' })
  t.deepEqual(away, { kind: 'refused', why: 'upstream-not-connected' })
  const kh = await perform(house, owner, getUpstream, { id: 'kh' })
  t.like(kh, { kind: 'done', value: { opening: 'not-connected' } })
  if (kh.kind === 'done') t.true(kh.value.facts.missing.includes('KH_CLIENT_ID'))
})

test('the list goes on where it stopped, whatever its order, and a cursor of nobody’s making is refused', async (t) => {
  const { house } = await buildWorld(t)
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const page = await perform(house, owner, listUpstreams, {
      limit: 7,
      sort: 'failures',
      ...(cursor ? { cursor } : {}),
    })
    if (page.kind !== 'done') return t.fail()
    ids.push(...page.value.items.map(({ id }) => id))
    cursor = page.value.next
  } while (cursor)
  t.deepEqual(
    ids,
    house.config.connectors.map(({ id }) => id),
  )
  const place = (...of: unknown[]) => Buffer.from(JSON.stringify(of)).toString('base64url')
  for (const forged of ['x', '', place("1' OR 1=1"), 'e30', place(), place(1), place('nowhere')]) {
    const page = await perform(house, owner, listUpstreams, { cursor: forged })
    t.like(page, { kind: 'rejected', problems: [{ field: 'cursor', code: 'cursor' }] }, forged)
    const events = await perform(house, owner, listUpstreamEvents, { id: 'ntpc', cursor: forged })
    t.like(events, { kind: 'rejected', problems: [{ field: 'cursor', code: 'cursor' }] }, forged)
  }
  // A county she does not reach is none.
  const narrow = { ...owner, grants: [{ role: 'support' as const, reach: 'county:kh' as const }] }
  const beyond = await perform(house, narrow, listUpstreams, { cursor: place('ntpc') })
  t.is(beyond.kind, 'rejected')
  // The last one of a page is in another state by the time the next one is asked for.
  const first = await perform(house, owner, listUpstreams, { limit: 2 })
  if (first.kind !== 'done') return t.fail()
  const { next = '' } = first.value
  const rest = await perform(house, owner, listUpstreams, { cursor: next, state: 'down' })
  t.like(rest, { kind: 'done', value: { items: [] } })
})

test('a day’s share is reckoned from what happened on it, and from nothing it does not know', (t) => {
  const at = Date.parse('2026-11-21T12:00:00+08:00') / 1000
  const hours = (ago: number) => at - ago * 3600
  const state = (ago: number, what: string, before: string, since: number): UpstreamEventRow =>
    failure(hours(ago), { kind: 'state', what, detail: { before, since } })
  const changes = [
    // Well since the 20th, 00:00; down for three hours over midnight; slow for an hour.
    state(13.5, 'down', 'ok', hours(36)),
    state(10.5, 'ok', 'down', hours(13.5)),
    state(3, 'slow', 'ok', hours(10.5)),
    state(2, 'ok', 'slow', hours(3)),
    failure(hours(1), { kind: 'switch', what: 'off' }),
  ]
  const present = { state: 'ok' as const, since: hours(2) }
  const days = availabilityOf(changes, { present, offAt: hours(1), at })
  t.is(days.length, 30)
  t.is(firstDayBegins(at), Date.parse('2026-10-23T00:00:00+08:00') / 1000)
  t.deepEqual(days.at(-1), {
    day: '2026-11-21',
    known: 12 * 3600,
    slow: 3600,
    down: 1.5 * 3600,
    off: 3600,
  })
  t.deepEqual(days.at(-2), {
    day: '2026-11-20',
    known: 24 * 3600,
    slow: 0,
    down: 1.5 * 3600,
    off: 0,
  })
  t.is(days.at(-3)?.known, 0)
  t.is(shareOf(days), 1 - 4 / 36)
  t.is(shareOf([]), undefined)
  const quiet = availabilityOf([], {
    present: { state: 'ok', since: hours(6) },
    offAt: undefined,
    at,
  })
  t.is(shareOf(quiet), 1)
  t.is(quiet.at(-1)?.known, 6 * 3600)
})

test('a test says how far it came', (t) => {
  const stages = ['discovery', 'token endpoint', 'ID token']
  const is = (failedAt?: string) => passedOf(stages, { at: failedAt }).map((one) => one.is)
  t.deepEqual(is('token endpoint'), ['passed', 'failed', 'not-reached'])
  t.deepEqual(is('authorization request'), ['failed', 'not-reached', 'not-reached', 'not-reached'])
  t.deepEqual(
    passedOf(stages, undefined).map((one) => one.is),
    ['passed', 'passed', 'passed'],
  )
})
