/** Several processes on one port: started, started again when they die, and replaced one after another. */
import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '#lib/log.ts'
import { WorkersError } from './errors.ts'

export type Workers = {
  /** Starts a successor for each in turn; the old one ends when the new one answers requests. */
  replace(): Promise<void>
  /** Asks all of them to end, and waits for it. */
  close(): Promise<void>
}

type Options = {
  count: number
  log: Log
  /** How long a worker may take to end when it is asked to, in milliseconds. */
  patienceMs: number
  /** None is left and none starts. */
  failed: (error: WorkersError) => void
}

/** What a worker tells its primary. */
const ready = 'citygate answers requests'

/** Whoever dies younger than this, in milliseconds, would die again: its successor comes later each time. */
const childhood = 10_000
const longestPause = 30_000
const mostFailures = 5

/** In a worker: tells the primary that it answers requests. Elsewhere nobody listens. */
export function tellReady(): void {
  if (cluster.isWorker) process.send?.(ready)
}

/** In the primary: resolves when every worker answers requests. Rejects with WorkersError, and none is left. */
export async function openWorkers({ count, log, patienceMs, failed }: Options): Promise<Workers> {
  const alive = new Set<Worker>()
  const serving = new Set<Worker>()
  /** Their end is wanted. */
  const retiring = new Set<Worker>()
  let closing = false
  let replacing = false
  let failures = 0

  function start(): Promise<void> {
    const worker = cluster.fork()
    alive.add(worker)
    return new Promise((resolve, reject) => {
      let since = 0
      worker.on('message', (message) => {
        if (message !== ready) return
        since = performance.now()
        serving.add(worker)
        resolve()
      })
      // Asked for its metrics while it died, say: `exit` tells.
      worker.on('error', (error) => log.warn({ err: error }, 'a worker could not be spoken to'))
      worker.once('exit', (code, signal) => {
        alive.delete(worker)
        const error = new WorkersError(code ?? 1, signal ?? `exit code ${code}`)
        if (serving.delete(worker)) lost(worker, performance.now() - since, error)
        else reject(error)
      })
    })
  }

  function lost(worker: Worker, lived: number, error: WorkersError) {
    if (retiring.delete(worker) || closing) return
    failures = lived < childhood ? failures + 1 : 0
    log.error({ err: error, pid: worker.process.pid }, 'a worker died; another one is started')
    void revive(error)
  }

  async function revive(last: WorkersError) {
    for (let error = last; !closing; ) {
      if (serving.size === 0 && failures >= mostFailures) return giveUp(error)
      await sleep(failures === 0 ? 0 : Math.min(longestPause, 250 * 2 ** failures))
      if (closing) return
      try {
        return await start()
      } catch (reason) {
        error = asWorkersError(reason)
        failures++
        if (!closing) log.error({ err: error, failures }, 'a worker does not start')
      }
    }
  }

  function giveUp(error: WorkersError) {
    if (closing) return
    closing = true
    failed(error)
  }

  async function stop(worker: Worker, signal: NodeJS.Signals) {
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    worker.process.kill(signal)
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), patienceMs)
    await ended
    clearTimeout(timer)
  }

  async function replaceOne(old: Worker) {
    retiring.add(old)
    try {
      await start()
    } catch (error) {
      // It stays; if it has died meanwhile, it is missed now.
      if (!retiring.delete(old)) void revive(asWorkersError(error))
      throw error
    }
    if (serving.has(old)) await stop(old, 'SIGHUP')
  }

  async function close() {
    closing = true
    await Promise.all([...alive].map((worker) => stop(worker, 'SIGTERM')))
  }

  // The kernel hands connections out. Were it the primary, what it hands to a worker just killed would hang.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  try {
    // One alone makes schema and keys, and says but once what is wrong.
    await start()
    await Promise.all(Array.from({ length: count - 1 }, start))
  } catch (error) {
    await close()
    throw error
  }

  return {
    close,
    async replace() {
      if (replacing || closing) return
      replacing = true
      log.info({ workers: serving.size }, 'workers are replaced')
      try {
        for (const old of [...serving]) if (serving.has(old) && !closing) await replaceOne(old)
        log.info({ workers: serving.size }, 'workers were replaced')
      } catch (error) {
        if (!closing) log.error({ err: error }, 'a new worker does not start; the old ones go on')
      } finally {
        replacing = false
      }
    },
  }
}

const asWorkersError = (error: unknown): WorkersError =>
  error instanceof WorkersError ? error : new WorkersError(1, String(error))
