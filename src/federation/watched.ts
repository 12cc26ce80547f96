/** A connector whose calls are watched: how long each took, and how it failed. */
import { UpstreamError } from '#errors.ts'
import type { Connector } from './connector.ts'

export type Step = 'begin' | 'complete'

/** Runs `work` inside whatever watches it, and gives back what it gave. */
export type Watch = <T>(connector: string, step: Step, work: () => Promise<T>) => Promise<T>

export function watchConnector(connector: Connector, watch: Watch): Connector {
  const { id } = connector
  return {
    ...connector,
    begin: (trip) => watch(id, 'begin', () => connector.begin(trip)),
    complete: (arrival, memo) => watch(id, 'complete', () => connector.complete(arrival, memo)),
  }
}

/** The kind of an upstream's failure. What is not the upstream's is ours: `bug`. */
export const failureOf = (error: unknown): string =>
  error instanceof UpstreamError ? error.failure : 'bug'
