/** Runs named jobs every so often, each by one process at a time, however many there are. */
import { randomToken } from '#lib/crypto.ts'
import type { Log } from '#lib/log.ts'
import { type Now, seconds } from '#lib/time.ts'
import { within } from '#lib/within.ts'
import type { Store } from '#store/store.ts'

export type Job = {
  name: string
  /** Absent: only when somebody asks for it. */
  everySeconds?: number
  /** `signal` asks it to come to an end soon: the process stops, or another one has taken the job over. */
  run(signal: AbortSignal): Promise<void>
}

type Regular = Job & Required<Pick<Job, 'everySeconds'>>
const isRegular = (job: Job): job is Regular => job.everySeconds !== undefined

export type RunnerPorts = {
  store: Pick<Store, 'leases' | 'jobPositions'>
  log: Log
  now: Now
  /** At least 0, less than 1: so that processes started together do not ask together. */
  random: () => number
}

export type Runner = {
  begin(): void
  /**
   * Runs the job now. False when it is running: if here, it is run once more afterwards, for what came up too late for it
   * to see. Rejects with the job's own error.
   */
  runOnce(name: string): Promise<boolean>
  /** Asks running steps to end and waits for them, no longer than this. What it held others may take at once. */
  close(patienceMs?: number): Promise<void>
}

/** While a step runs its lease is renewed this often: milliseconds. */
const renewEvery = 5_000
/** How long a lease is trusted without that: seconds, three renewals. */
const trusted = 15

/** The first turn of a job that is seldom run comes after so many seconds at most: a restart must not skip it. */
const firstWithin = 60
/** A job that fails is tried less and less often, at least once in so many seconds. */
const longestPause = 3600

export function openRunner(jobs: Job[], { store, log, now, random }: RunnerPorts): Runner {
  const holder = randomToken()
  const stop = new AbortController()
  const timers = new Map<string, NodeJS.Timeout>()
  const underway = new Set<Promise<unknown>>()
  const turns = new Set<string>()
  /** Jobs that run here, and those of them that were asked for meanwhile. */
  const running = new Set<string>()
  const again = new Set<string>()

  /** Who does the job by the clock: kept from turn to turn, and lost by one who misses two. */
  async function hasTurn({ name, everySeconds }: Regular): Promise<boolean> {
    const at = seconds(now)
    const lease = `turn:${name}`
    const until = at + Math.ceil(2 * everySeconds) + trusted
    const mine = await store.leases.take(lease, holder, at, until)
    if (mine) turns.add(lease)
    else turns.delete(lease)
    return mine
  }

  async function run(job: Job): Promise<boolean> {
    const { name } = job
    if (running.has(name)) {
      again.add(name)
      return false
    }
    running.add(name)
    try {
      const ran = await runAlone(job)
      while (ran && again.delete(name)) await runAlone(job)
      return ran
    } finally {
      running.delete(name)
      again.delete(name)
    }
  }

  /** Whose step runs at this moment. Taken apart from the turn: the command line may run a job between two turns. */
  async function runAlone(job: Job): Promise<boolean> {
    const lease = `run:${job.name}`
    const runner = randomToken()
    const take = () => store.leases.take(lease, runner, seconds(now), seconds(now) + trusted)
    if (stop.signal.aborted || !(await take())) return false
    const lost = new AbortController()
    const signal = AbortSignal.any([stop.signal, lost.signal])
    const started = performance.now()
    const renewal = setInterval(() => {
      take().then(
        (kept) => kept || lost.abort(),
        (error) => log.warn({ err: error, job: job.name }, 'a lease could not be renewed'),
      )
    }, renewEvery).unref()
    try {
      await job.run(signal)
      // One that was asked to end may be in the middle of it: how it ended before stays true.
      if (!signal.aborted) await note(job, 'ok', started)
      return true
    } catch (error) {
      if (!signal.aborted) await note(job, 'failed', started)
      throw error
    } finally {
      clearInterval(renewal)
      // What cannot be given back runs out by itself.
      await store.leases.release(lease, runner).catch(() => {})
    }
  }

  /** For staff to see. What cannot be written down is no failure of the job. */
  async function note({ name, everySeconds }: Job, outcome: 'ok' | 'failed', started: number) {
    const took = Math.round(performance.now() - started)
    const position = { outcome, took, ...(everySeconds === undefined ? {} : { everySeconds }) }
    await store.jobPositions.put({ job: `ran:${name}`, position, at: seconds(now) }).catch(() => {})
  }

  async function turn(job: Regular, failures: number) {
    let failed = 0
    try {
      if (await hasTurn(job)) await run(job)
    } catch (error) {
      failed = failures + 1
      if (stop.signal.aborted) return
      log.error({ err: error, job: job.name, failures: failed }, 'a job failed')
    }
    plan(job, failed, pause(job, failed))
  }

  function pause({ everySeconds }: Regular, failures: number): number {
    const most = Math.max(everySeconds, longestPause)
    return Math.min(most, everySeconds * 2 ** failures) * (0.9 + random() / 5)
  }

  function plan(job: Regular, failures: number, inSeconds: number) {
    if (stop.signal.aborted) return
    const timer = setTimeout(() => void keep(turn(job, failures)), inSeconds * 1000)
    timers.set(job.name, timer.unref())
  }

  function keep<T>(work: Promise<T>): Promise<T> {
    underway.add(work)
    const forget = () => underway.delete(work)
    work.then(forget, forget)
    return work
  }

  return {
    begin() {
      for (const job of jobs.filter(isRegular))
        plan(job, 0, random() * Math.min(job.everySeconds, firstWithin))
    },
    async runOnce(name) {
      const job = jobs.find((one) => one.name === name)
      if (!job) throw new Error(`there is no job ${name}`)
      return keep(run(job))
    },
    async close(patienceMs = 5_000) {
      stop.abort()
      for (const timer of timers.values()) clearTimeout(timer)
      await within(patienceMs, Promise.allSettled(underway))
      for (const lease of turns) await store.leases.release(lease, holder).catch(() => {})
    },
  }
}
