/** What is counted and timed, where an operator asked for it. */

import type { ConnectorConfig } from '#config/connector.ts'
import type { Config } from '#config/load.ts'
import type { Connector } from '#federation/connector.ts'
import { failureOf, type Watch, watchConnector } from '#federation/watched.ts'
import { type Metrics, timed, unmeasured } from '#lib/measure.ts'
import type { Watched } from '#lib/metrics.ts'
import type { Tracing } from '#lib/tracing.ts'
import type { Store } from '#store/store.ts'

export async function openMeasures(
  { metrics }: Config,
  connectors: ConnectorConfig[],
  watched: Watched,
): Promise<Metrics> {
  if (!metrics) return unmeasured
  const { openMetrics } = await import('#lib/metrics.ts')
  return openMetrics(
    connectors.map(({ id }) => id),
    watched,
  )
}

/** Of the newest signing key, in seconds. */
export async function signingKeyAge({ keyRing }: Store, at: number): Promise<number | undefined> {
  const ring = await keyRing.list()
  const made = ring.filter(({ purpose }) => purpose === 'signing').map((key) => key.createdAt)
  return made.length > 0 ? at - Math.max(...made) : undefined
}

/** The same connectors, each step of theirs timed and traced. */
export function watchAll(
  connectors: ReadonlyMap<string, Connector>,
  metrics: Metrics,
  tracing: Tracing,
): Map<string, Connector> {
  const watch: Watch = (id, step, work) =>
    tracing.span(`upstream ${step}`, { 'citygate.connector': id }, () =>
      timed(work, (took, error) =>
        metrics.upstream(id, step, took, error === undefined ? undefined : failureOf(error)),
      ),
    )
  return new Map([...connectors].map(([id, one]) => [id, watchConnector(one, watch)]))
}
