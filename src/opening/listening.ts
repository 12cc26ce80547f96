/** The ports we serve: the house itself, and its metrics. */
import type { Config } from '#config/load.ts'
import type { House } from '#http/house.ts'
import { openMetricsServer } from '#http/metrics-server.ts'
import { patienceMs } from '#http/middleware/patience.ts'
import { openHttp } from '#http/server.ts'
import { type Listening, listenOn } from '#lib/listen.ts'

/** How long a proxy may keep idle connections for its next request: most of them do so for a minute. */
const proxyKeepAlive = 65_000

/**
 * Serves the house on every configured address. Rejects in words when the port is taken. At the end idle connections
 * are left for `idleMs` to a proxy: it may be sending on one just now, and would not repeat a POST. `graceMs`: what
 * requests under way have then.
 */
export function listen(
  house: House,
  { idleMs = 0, graceMs }: { idleMs?: number; graceMs?: number | undefined } = {},
): Promise<Listening> {
  const { port, hosts, trustedProxies, production } = house.config
  // Node-oidc-provider makes four errors for each token it accepts, in case; nobody reads where: the log has no stacks.
  if (production) Error.stackTraceLimit = 0
  const left = trustedProxies.length > 0 ? idleMs : 0
  const where = { port, hosts, variable: 'PORT', idleMs: left, ...(graceMs ? { graceMs } : {}) }
  return listenOn(where, openHttp(house).callback(), {
    // Slow clients are cut off (slowloris); no request of ours needs large headers.
    headersTimeout: 15_000,
    // The longest of all; what is no file has less: see http/middleware/patience.ts.
    requestTimeout: patienceMs.file,
    keepAliveTimeout: trustedProxies.length > 0 ? proxyKeepAlive : 5_000,
    maxHeaderSize: 16_384,
  })
}

/** Serves the metrics if they are wanted. A worker's are its primary's to serve. */
export async function listenMetrics({ config, metrics }: House): Promise<Listening | undefined> {
  if (!config.metrics) return undefined
  const { default: cluster } = await import('node:cluster')
  return cluster.isWorker ? undefined : openMetricsServer(config.metrics, metrics.text)
}

/** In a cluster's primary: serves the metrics of all workers as one, if they are wanted. */
export async function serveClusterMetrics(config: Config): Promise<Listening | undefined> {
  if (!config.metrics) return undefined
  const { openClusterMetrics } = await import('#lib/metrics.ts')
  return openMetricsServer(config.metrics, openClusterMetrics().text)
}
