/** Does every upstream we are connected to answer, as the sign-in there would need it? */
import limit from 'p-limit'
import type { ConnectorConfig, ConnectorType } from '#config/connector.ts'
import { UpstreamError, type UpstreamFailure } from '#errors.ts'
import { dayOf } from '#federation/days.ts'
import { ownAddresses } from '#federation/own-addresses.ts'
import { openConnectors } from '#federation/registry.ts'
import { day } from '#lib/time.ts'
import { type Clock, type Finding, fail, ok, warn } from './finding.ts'
import { type Said, said, trouble } from './sayings.ts'

export type UpstreamPorts = {
  issuer: string
  connectors: ConnectorConfig[]
  /** The guarded client, with its limits of time and size. */
  fetch: typeof fetch
  now: () => number
  /** When a server's certificate expires, in seconds; absent, nobody looks. */
  certificateExpiry?: ((server: string) => Promise<number>) | undefined
}

/** Asked at the same time. */
const atOnce = 4

export async function checkUpstreams(ports: UpstreamPorts): Promise<[Finding[], Clock[]]> {
  const { issuer, connectors, now } = ports
  const clocks: Clock[] = []
  const watched = async (...args: Parameters<typeof fetch>) => {
    const asked = now()
    const answer = await ports.fetch(...args)
    const date = Date.parse(answer.headers.get('date') ?? '')
    const { host } = new URL(args[0] instanceof Request ? args[0].url : args[0])
    if (!Number.isNaN(date))
      clocks.push({ whose: 'server', host, ahead: date - (asked + now()) / 2 })
    return answer
  }
  // One that is to open is looked at before it does; one whose days are over may be gone.
  const awaited = connectors.filter((one) => dayOf(one, now()) !== 'over')
  const open = openConnectors(awaited, {
    fetch: watched,
    now,
    ownAddresses: (id) => ownAddresses(issuer, id),
    // Looks, and leaves nothing behind.
    firstUse: async () => true,
    documents: { find: async () => undefined, keep: async () => {} },
  })
  const queue = limit(atOnce)
  const findings = await Promise.all(
    connectors.map(({ id, type }) =>
      queue(async () => {
        const check = said('check.upstream', { id })
        const connector = open.get(id)
        if (!connector) return []
        try {
          await connector.probe()
          const ending = await checkCertificates(check, connector.servers, ports)
          return ending ?? ok(check, said('upstream.answers'))
        } catch (error) {
          return describe(check, type, error)
        }
      }),
    ),
  )
  const count = connectors.length - open.size
  const idle = ok(said('check.upstreams'), said('upstreams.idle', { count }))
  return [[...findings.flat(), ...(count > 0 ? [idle] : [])], clocks]
}

/** Before its end people there have time to renew it. */
const soon = 14 * day

/** What is wrong with them; one that cannot be looked at was good enough for the probe. */
async function checkCertificates(
  check: Said,
  servers: string[],
  { certificateExpiry, now }: Pick<UpstreamPorts, 'certificateExpiry' | 'now'>,
): Promise<Finding | undefined> {
  for (const server of certificateExpiry ? servers : []) {
    const expires = await certificateExpiry?.(server).catch(() => undefined)
    if (expires === undefined || expires - now() / 1000 > soon) continue
    const until = new Date(expires * 1000).toISOString().slice(0, 10)
    return warn(check, trouble('upstream.certificate', { server, until }))
  }
  return undefined
}

function describe(check: Said, type: ConnectorType, error: unknown): Finding {
  if (!(error instanceof UpstreamError)) {
    const why = error instanceof Error ? error.message : String(error)
    return fail(check, trouble('upstream.broken', { said: why }))
  }
  const { failure, connector, message } = error
  const says = said(`upstream.${failure}`, { said: message.slice(connector.length + 2) })
  return fail(check, { says, mend: mendOf(failure, type) })
}

/** What is to be looked at in its file differs by protocol; who is slow or says no does so in all of them. */
const mendOf = (failure: UpstreamFailure, type: ConnectorType): Said =>
  failure === 'slow' || failure === 'refused'
    ? said(`upstream.mend.${failure}`)
    : said(`upstream.mend.${failure}.${type}`)
