/** `citygate serve`: the server, outside production with its sandbox, and what to know about them on the screen. */
import { loadConfig } from '#config/load.ts'
import { flushLog, openLog } from '#lib/log.ts'
import { openTracing } from '#lib/tracing.ts'
import { listen, listenMetrics, openApp } from './app.ts'

/** Runs until SIGTERM or SIGINT. Throws ConfigError before anything is opened. */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig(env)
  const log = openLog(config.logLevel)
  const { sandbox } = config
  const pretend = sandbox && (await import('#sandbox/wiring.ts')).prepareSandbox(config, sandbox)
  // What was opened, last first: all of it is closed whether the start fails or the end comes.
  const opened: { close(): Promise<void> }[] = []
  const close = async () => {
    for (const one of opened.reverse()) await one.close()
  }
  try {
    const tracing = await openTracing(env, { log, host: new URL(config.issuer).hostname })
    opened.push(tracing)
    const app = await openApp(config, { log, tracing, ...pretend?.appPorts })
    opened.push(app)
    opened.push(await listen(app.house))
    const metrics = await listenMetrics(app.house)
    if (metrics) opened.push(metrics)
    const world = await pretend?.open(app.house)
    if (world) opened.push(world)
    const lines = [`Citygate 城門  ${config.issuer}`, ...(world?.lines ?? [])]
    process.stdout.write(`${lines.join('\n')}\n`)
  } catch (error) {
    await close()
    throw error
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, async () => {
      await close()
      await flushLog(log)
      process.exit(0)
    })
  }
}
