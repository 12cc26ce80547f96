/** `citygate serve`: the server, outside production with its sandbox, and what to know about them on the screen. */
import { loadConfig } from '#config/load.ts'
import { openLog } from '#lib/log.ts'
import { listen, openApp } from './app.ts'

/** Runs until SIGTERM or SIGINT. Throws ConfigError before anything is opened. */
export async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  const config = loadConfig(env)
  const log = openLog(config.logLevel)
  const { sandbox } = config
  const pretend = sandbox && (await import('#sandbox/wiring.ts')).prepareSandbox(config, sandbox)
  const app = await openApp(config, { log, ...pretend?.appPorts })
  const server = await listen(app.house)
  const world = await pretend?.open(app.house)

  const lines = [`Citygate 城門  ${config.issuer}`, ...(world?.lines ?? [])]
  process.stdout.write(`${lines.join('\n')}\n`)

  const stop = async () => {
    await server.close()
    await world?.close()
    await app.close()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
}
