/** `citygate serve`: the server, outside production with its sandbox, and what to know about them on the screen. */
import cluster from 'node:cluster'
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, loadConfig } from '#config/load.ts'
import { flushLog, type Log, openLog } from '#lib/log.ts'
import { openTracing } from '#lib/tracing.ts'
import type { prepareSandbox } from '#sandbox/wiring.ts'
import { openWorkers, tellReady } from './cluster.ts'
import { whereToBegin } from './opening/where-to-begin.ts'

/** Milliseconds from the signal to the end, whatever happens: of a worker, and of all of them. */
const endsWithin = { worker: 9_000, primary: 9_800 }
/** nginx keeps an idle connection for 4 s (`keepalive_timeout` of its upstream): it closes them, not we. */
const leftToProxies = 5_000

type Closable = { close(): Promise<void> }

type Opening = {
  env: NodeJS.ProcessEnv
  config: Config
  log: Log
  /** What is opened is kept here, to be closed whether the start fails or the end comes, last first. */
  keep<T extends Closable>(one: T): T
}

/** What was opened, for the end and for the screen. */
type Opened = {
  lines: string[]
  /** Nothing new is begun in the background. */
  rest(): void
  /** Balancers are told to send people elsewhere. */
  refuse(): void
}

/** Runs until SIGTERM or SIGINT. Throws ConfigError before anything is opened. */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await start(env)
  } catch (error) {
    // Its primary's voice would keep a worker that failed from ending.
    cluster.worker?.disconnect()
    throw error
  }
}

async function start(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig(env)
  const log = openLog(config.logLevel)
  const kept: Closable[] = []
  const keep: Opening['keep'] = (one) => {
    kept.push(one)
    return one
  }
  const close = async () => {
    for (const one of kept.splice(0).reverse()) await one.close()
  }
  const primary = config.workers > 1 && cluster.isPrimary
  // Once, not by each worker.
  if (cluster.isPrimary) {
    const { warnOfInsecure } = await import('./opening/warnings.ts')
    warnOfInsecure(config.connectors, log)
  }
  const end = async (exit: number, before: () => Promise<unknown>) => {
    const within = config.drainDelayMs + endsWithin[primary ? 'primary' : 'worker']
    setTimeout(() => process.exit(exit), within)
    try {
      await before()
      await close()
    } catch (error) {
      log.error({ err: error }, 'could not end in order')
    }
    await flushLog(log)
    process.exit(exit)
  }
  const opening = { env, config, log, keep }
  try {
    const opened = primary
      ? await openPrimary(opening, ({ exit, message }) => {
          process.stderr.write(`citygate: ${message}\n`)
          void end(exit, async () => {})
        })
      : await openAlone(opening)
    let ending = false
    const endOn = (signal: NodeJS.Signals, refuse: () => Promise<unknown>) =>
      // Listened to for good: with nobody listening a second one would cut off what is under way.
      process.on(signal, () => {
        if (ending) return
        ending = true
        opened.rest()
        void end(0, refuse)
      })
    const refuse = async () => {
      opened.refuse()
      if (!primary) await sleep(config.drainDelayMs)
    }
    endOn('SIGTERM', refuse)
    endOn('SIGINT', refuse)
    // Makes place for its successor, who takes all that comes: nobody need be told.
    if (cluster.isWorker) endOn('SIGHUP', async () => {})
    if (cluster.isPrimary) show(opened.lines)
    tellReady()
  } catch (error) {
    await close()
    throw error
  }
}

/** The house in this process: the only one, or one of several workers. */
async function openAlone({ env, config, log, keep }: Opening): Promise<Opened> {
  const [{ openApp }, { listen, listenMetrics }] = await Promise.all([
    import('./app.ts'),
    import('./opening/listening.ts'),
  ])
  const { sandbox } = config
  const pretend = sandbox && keep(await prepare(config, sandbox))
  const tracing = keep(await openTracing(env, { log, host: new URL(config.issuer).hostname }))
  const app = keep(await openApp(config, { log, tracing, ...pretend?.appPorts }))
  const { house, background } = app
  keep(await listen(house, { idleMs: leftToProxies }))
  const metrics = await listenMetrics(house)
  if (metrics) keep(metrics)
  const world = cluster.isPrimary ? await pretend?.open(house) : undefined
  if (world) keep(world)
  background.begin()
  return {
    lines: [title(config), ...(await whereToBegin(house)), ...(world?.lines ?? [])],
    // The app waits for it when it closes, and hears of failures.
    rest: () => void background.close().catch(() => {}),
    refuse: () => house.health.drain(),
  }
}

/** Everything but the house: its workers, their metrics, and the pretend world, which there is only once. */
async function openPrimary(
  { config, log, keep }: Opening,
  failed: Parameters<typeof openWorkers>[0]['failed'],
): Promise<Opened> {
  // Read only where it is wanted: the house is most of the memory a process has.
  const listening = () => import('./opening/listening.ts')
  const metrics = config.metrics && (await (await listening()).serveClusterMetrics(config))
  if (metrics) keep(metrics)
  const { sandbox } = config
  const pretend = sandbox && keep(await prepare(config, sandbox))
  const patienceMs = config.drainDelayMs + endsWithin.worker + 300
  const workers = keep(await openWorkers({ count: config.workers, log, patienceMs, failed }))
  process.on('SIGHUP', () => void workers.replace())
  const opened = { rest() {}, refuse() {} }
  if (!pretend) return { ...opened, lines: [title(config)] }
  const { openApp } = await import('./app.ts')
  const { house } = keep(await openApp(config, { log, ...pretend.appPorts }))
  const { lines } = keep(await pretend.open(house))
  return { ...opened, lines: [title(config), ...(await whereToBegin(house)), ...lines] }
}

const prepare = async (...world: Parameters<typeof prepareSandbox>) =>
  (await import('#sandbox/wiring.ts')).prepareSandbox(...world)

/** On the screen. Where that is a file on a full disk, people sign in all the same. */
function show(lines: string[]) {
  try {
    writeSync(process.stdout.fd, `${lines.join('\n')}\n`)
  } catch {
    // The log is on the same disk: nobody would read it there either.
  }
}

const title = ({ issuer }: Config) => `Citygate 城門  ${issuer}`
