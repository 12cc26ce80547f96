import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { type Job, openRunner, type RunnerPorts } from '#jobs/runner.ts'
import { openLog } from '#lib/log.ts'
import { buildStore, engines } from '../helpers/database.ts'
import { eventually } from '../helpers/eventually.ts'
import { isOverBefore } from '../helpers/overtaking.ts'

const silent = openLog('silent')

/** Half a second between turns. */
const often = { name: 'tick', everySeconds: 0.5 }

const ports = (store: RunnerPorts['store'], more: Partial<RunnerPorts> = {}): RunnerPorts => ({
  store,
  log: silent,
  now: Date.now,
  random: Math.random,
  ...more,
})

const until = (isRight: () => boolean, withinMs?: number) =>
  eventually(async () => isRight(), Boolean, withinMs)

for (const engine of engines) {
  test(`${engine}: of three processes one does the job, and another takes over when it stops`, async (t) => {
    const store = await buildStore(t, engine)
    const ran: string[] = []
    const runners = ['a', 'b', 'c'].map((name) => {
      const job: Job = { ...often, run: async () => void ran.push(name) }
      // By this clock no lease ever runs out: it is given back, or nobody takes over.
      const runner = openRunner([job], ports(store, { now: () => 1e12 }))
      t.teardown(() => runner.close())
      runner.begin()
      return { name, runner }
    })
    t.true(await until(() => ran.length >= 3))
    const [first] = ran
    t.deepEqual(new Set(ran), new Set([first]))
    await runners.find(({ name }) => name === first)?.runner.close()
    const soFar = ran.length
    t.true(await until(() => ran.length >= soFar + 2))
    t.is(new Set(ran.slice(soFar)).size, 1)
    t.not(ran.at(-1), first)
  })
}

test('a job that one process was killed with is done by another when its lease has run out', async (t) => {
  const store = await buildStore(t)
  let at = 1_000_000_000_000
  // What a killed process leaves behind.
  for (const lease of ['turn:tick', 'run:tick']) {
    await store.leases.take(lease, 'killed', at / 1000, at / 1000 + 20)
  }
  let ran = 0
  const job: Job = { ...often, run: async () => void ran++ }
  const runner = openRunner([job], ports(store, { now: () => at }))
  t.teardown(() => runner.close())
  runner.begin()
  t.false(await runner.runOnce('tick'))
  t.false(await until(() => ran > 0, 1_200))
  at += 20_000
  t.true(await until(() => ran > 0))
})

test('two steps of one job never run at the same time, whoever asks for them', async (t) => {
  const store = await buildStore(t)
  let running = 0
  let most = 0
  const job: Job = {
    ...often,
    async run() {
      most = Math.max(most, ++running)
      await sleep(50)
      running--
    },
  }
  const [one, two] = [openRunner([job], ports(store)), openRunner([job], ports(store))]
  const results = await Promise.all([one, one, two, two].map((runner) => runner.runOnce('tick')))
  t.is(results.filter(Boolean).length, 1)
  t.is(most, 1)
  t.true(await two.runOnce('tick'), 'the lease was given back')
  await Promise.all([one.close(), two.close()])
})

test('who asks for a job while it comes to its end has it run once more', async (t) => {
  const store = await buildStore(t)
  const ends: (() => void)[] = []
  const job: Job = { ...often, run: () => new Promise((resolve) => ends.push(resolve)) }
  const runner = openRunner([job], ports(store))
  const first = runner.runOnce('tick')
  t.true(await until(() => ends.length === 1))
  t.deepEqual(await Promise.all([runner.runOnce('tick'), runner.runOnce('tick')]), [false, false])
  ends[0]?.()
  t.true(await until(() => ends.length === 2))
  ends[1]?.()
  t.true(await first)
  t.is(ends.length, 2, 'once for all who asked')
  await runner.close()
})

test('a job that fails is logged once a turn with its name, and tried again less and less often', async (t) => {
  const store = await buildStore(t)
  const lines: string[] = []
  const log = openLog('info', { write: (line) => lines.push(line) })
  const times: number[] = []
  const job: Job = {
    name: 'broken',
    everySeconds: 0.2,
    async run() {
      times.push(performance.now())
      throw new Error('no luck')
    },
  }
  const runner = openRunner([job], ports(store, { log, random: () => 0.5 }))
  runner.begin()
  t.true(await until(() => times.length === 4))
  await runner.close()
  const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0))
  for (const [i, least] of [390, 790, 1_590].entries())
    t.true((pauses[i] ?? 0) >= least, `${pauses}`)
  const errors = lines.map((line) => JSON.parse(line))
  t.deepEqual(
    errors.map(({ job, failures, err }) => [job, failures, err.message]),
    [1, 2, 3, 4].map((failures) => ['broken', failures, 'no luck']),
  )
  await t.throwsAsync(openRunner([job], ports(store)).runOnce('broken'), { message: 'no luck' })
})

test('a stop asks the running step to end, waits for it, and gives back what was held', async (t) => {
  const store = await buildStore(t)
  const said: string[] = []
  const job: Job = {
    ...often,
    async run(signal) {
      said.push('begun')
      await sleep(60_000, undefined, { signal }).catch(() => {})
      await sleep(100)
      said.push('ended')
    },
  }
  const runner = openRunner([job], ports(store))
  runner.begin()
  t.true(await until(() => said.length === 1))
  await runner.close()
  t.deepEqual(said, ['begun', 'ended'])
  t.is(await store.jobPositions.find('ran:tick'), undefined, 'it was not through')
  const now = Math.floor(Date.now() / 1000)
  for (const lease of ['turn:tick', 'run:tick']) {
    t.true(await store.leases.take(lease, 'another', now, now + 1), lease)
  }
})

test('a step that does not listen delays the stop no longer than agreed', async (t) => {
  const store = await buildStore(t)
  let end: (() => void) | undefined
  const job: Job = { ...often, run: () => new Promise((resolve) => (end = resolve)) }
  const runner = openRunner([job], ports(store))
  const step = runner.runOnce('tick')
  t.true(await until(() => end !== undefined))
  const started = performance.now()
  const closed = runner.close(300)
  t.true(await isOverBefore(closed, sleep(1_000)))
  const took = performance.now() - started
  t.true(took >= 290, `${took}`)
  end?.()
  await step
})

test('a job held by a process whose clock was a year ahead is not lost for that year', async (t) => {
  const store = await buildStore(t)
  const at = 1e9
  const year = 365 * 24 * 60 * 60
  for (const lease of ['turn:tick', 'run:tick']) {
    await store.leases.take(lease, 'killed', at + year, at + year + 20)
  }
  let ran = 0
  const job: Job = { ...often, run: async () => void ran++ }
  const runner = openRunner([job], ports(store, { now: () => at * 1000 }))
  t.teardown(() => runner.close())
  runner.begin()
  t.true(await until(() => ran > 0))
})
