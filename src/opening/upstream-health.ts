/** The board on which every process sees how upstreams fare, over the store. */
import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { ConnectorConfig } from '#config/connector.ts'
import type { Connector } from '#federation/connector.ts'
import { guardConnector } from '#federation/guarded.ts'
import { type HealthBoard, openHealthBoard } from '#federation/health-board.ts'
import type { Probed } from '#jobs/probe-upstreams.ts'
import { randomToken } from '#lib/crypto.ts'
import type { Log } from '#lib/log.ts'
import { type Now, seconds } from '#lib/time.ts'
import { type CertificateExpiry, openCertificates } from '#outside/certificates.ts'
import type { Store } from '#store/store.ts'

export type UpstreamHealthParts = {
  store: Pick<Store, 'upstreamStatuses' | 'upstreamEvents' | 'leases' | 'audit'>
  connectors: ConnectorConfig[]
  log: Log
  now: Now
}

export const openUpstreamHealth = ({
  store,
  connectors,
  log,
  now,
}: UpstreamHealthParts): HealthBoard =>
  openHealthBoard({
    connectors: connectors.filter(({ credentials }) => credentials).map(({ id }) => id),
    statuses: store.upstreamStatuses,
    trial: (id, patience) =>
      store.leases.take(`trial:${id}`, randomToken(), seconds(now), seconds(now) + patience),
    changed: ({ connector, state, failure }) =>
      store.audit.record({
        at: seconds(now),
        actor: 'system',
        action: 'upstream.state',
        target: `connector:${connector}`,
        outcome: state,
        ...(failure === undefined ? {} : { details: { failure } }),
      }),
    remember: ({ connector, state, relapsed, failure, before }) =>
      store.upstreamEvents.record({
        id: randomUUID(),
        connector,
        at: seconds(now),
        kind: 'state',
        what: relapsed ? 'relapse' : state,
        ref: '',
        detail: {
          before: before.state,
          since: before.since,
          ...(failure === undefined || state !== 'down' ? {} : { failure }),
        },
      }),
    log,
    now,
    random: Math.random,
  })

function strain() {
  const before = performance.eventLoopUtilization()
  return () => performance.eventLoopUtilization(before).utilization
}

/** Each behind its own breaker: what one upstream does is no other's. */
export const guardAll = (
  connectors: ReadonlyMap<string, Connector>,
  board: HealthBoard,
  now: Now,
): Map<string, Connector> =>
  new Map([...connectors].map(([id, one]) => [id, guardConnector(one, { board, now, strain })]))

/** What the probe asks, and whose certificates it looks at. `allow`: origins that may be inside our network. */
export function probedOf(
  connectors: ConnectorConfig[],
  open: ReadonlyMap<string, Connector>,
  allow: string[],
): { upstreams: () => Probed[]; certificateExpiry: CertificateExpiry } {
  const upstreams = () =>
    connectors.flatMap(({ id, insecure }) => {
      const connector = open.get(id)
      return connector
        ? [{ id, probe: connector.probe, servers: insecure ? [] : connector.servers }]
        : []
    })
  // The operator named a directory that stands beside us: sign-ins reach it as well.
  const directories = connectors
    .filter(({ type }) => type === 'ldap')
    .flatMap(({ id }) => open.get(id)?.servers.map((server) => `ldaps://${server}`) ?? [])
  return { upstreams, certificateExpiry: openCertificates({ allow: [...allow, ...directories] }) }
}
