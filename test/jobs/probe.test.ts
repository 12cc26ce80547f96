/** The background probe: each county for itself, certificates looked at, and none of it slower than it must be. */
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { UpstreamError } from '#errors.ts'
import { openProbe, type ProbePorts } from '#jobs/probe-upstreams.ts'
import { openLog } from '#lib/log.ts'

const day = 24 * 60 * 60

type Heard = { id: string; kind: string }

/** A board that only listens, and a job over the given upstreams that never waits between tries. */
function openJob(probes: Record<string, () => Promise<void>>, more: Partial<ProbePorts> = {}) {
  const heard: Heard[] = []
  const noted = new Map<string, number | undefined>()
  const down = new Set<string>()
  const lines: string[] = []
  const clock = { now: Date.UTC(2031, 7, 1) }
  const job = openProbe({
    upstreams: () =>
      Object.entries(probes).map(([id, probe]) => ({
        id,
        probe,
        servers: [`${id}.example:443`],
      })),
    board: {
      isDown: (id) => down.has(id),
      hear: (id, { kind }) => void heard.push({ id, kind }),
      note: async (id, expiry) => void noted.set(id, expiry),
    },
    certificateExpiry: async () => clock.now / 1000 + 300 * day,
    log: openLog('info', { write: (line) => void lines.push(line) }),
    now: () => clock.now,
    random: () => 0,
    ...more,
  })
  const run = (signal = new AbortController().signal) => job.run(signal)
  return { run, heard, noted, down, lines, clock }
}

const away = async () => {
  throw new UpstreamError('tn', 'unreachable', 'said')
}

test('four are asked at a time, and one that fails, or stumbles over a bug of ours, holds no other up', async (t) => {
  let running = 0
  let most = 0
  const asked: string[] = []
  const quick = (id: string) => async () => {
    asked.push(id)
    most = Math.max(most, ++running)
    await sleep(5)
    running--
  }
  const ids = Array.from({ length: 20 }, (_, index) => `c${index}`)
  const { run, noted } = openJob({
    dead: away,
    ...Object.fromEntries(ids.map((id) => [id, quick(id)])),
    odd: () => Promise.reject(new Error('a bug of ours')),
  })
  await run()
  t.is(asked.length, 20)
  t.is(most, 4)
  t.is(noted.size, 22)
})

test('a failure is looked into at once: asked again until it is clear', async (t) => {
  let failures = 0
  const { run, down } = openJob({
    flaky: async () => {
      if (++failures < 2) await away()
    },
  })
  await run()
  t.is(failures, 2)
  let asked = 0
  const dead = openJob({
    tn: async () => {
      asked++
      await away()
    },
  })
  await dead.run()
  t.is(asked, 3)
  dead.down.add('tn')
  await dead.run()
  t.is(asked, 4, 'known to be down, it is asked once a round')
  t.is(down.size, 0)
})

test('a database that cannot take one note is told of, after all others were asked', async (t) => {
  const noted: string[] = []
  const { run } = openJob(
    { kh: async () => {}, tn: async () => {}, tp: async () => {} },
    {
      board: {
        isDown: () => false,
        hear() {},
        async note(id) {
          noted.push(id)
          if (id === 'kh') throw new Error('the database is away')
        },
      },
    },
  )
  await t.throwsAsync(run(), { message: /database/ })
  t.deepEqual(noted, ['kh', 'tn', 'tp'])
})

test('a process that ends asks nobody more', async (t) => {
  const ended = AbortSignal.abort()
  const asked: string[] = []
  const { run, noted } = openJob({ kh: async () => void asked.push('kh') })
  await run(ended)
  t.deepEqual(asked, [])
  t.is(noted.size, 0)
})

test('certificates are looked at once an hour, the first to expire counts, and staff are told thirty, seven and one day before', async (t) => {
  let days = 40
  let looked = 0
  const { run, noted, lines, clock } = openJob(
    { kh: async () => {} },
    {
      certificateExpiry: async () => {
        looked++
        return Math.floor(clock.now / 1000) + days * day + 60
      },
    },
  )
  const said = () => lines.filter((line) => line.includes('certificate expires'))
  await run()
  t.is(noted.get('kh'), clock.now / 1000 + 40 * day + 60)
  await run()
  t.is(looked, 1)
  t.is(noted.get('kh'), undefined, 'nothing new')
  const told: number[] = []
  for (; days >= 0; days--) {
    clock.now += day * 1000
    const before = said().length
    await run()
    clock.now += 2 * 60 * 60 * 1000
    await run()
    clock.now -= 2 * 60 * 60 * 1000
    if (said().length > before) told.push(days)
    t.true(said().length - before <= 1, `more than once on one day, ${days} before`)
  }
  t.deepEqual(told, [29, 6, 0])
  t.like(JSON.parse(said()[0] ?? ''), { level: 'warn', connector: 'kh', days: 29 })
})

test('a certificate that cannot be looked at is no news, and of one that is down nobody looks', async (t) => {
  let looked = 0
  const { run, noted, down, lines } = openJob(
    { kh: async () => {} },
    {
      certificateExpiry: async () => {
        looked++
        throw new Error('no TLS there')
      },
    },
  )
  await run()
  t.true(noted.has('kh'))
  t.is(noted.get('kh'), undefined)
  t.is(looked, 1)
  down.add('kh')
  await run()
  t.is(looked, 1)
  t.deepEqual(lines, [])
})

test('a process that ends while it waits for its turn asks nobody more', async (t) => {
  const ending = new AbortController()
  const asked: string[] = []
  const probes = { kh: async () => void asked.push('kh'), tn: async () => void asked.push('tn') }
  const { run } = openJob(probes, { random: () => 0.9 })
  setTimeout(() => ending.abort(), 20)
  await run(ending.signal)
  t.deepEqual(asked, [])
})
