/** Does every upstream we are connected to answer, as the sign-in there would need it? */
import limit from 'p-limit'
import type { ConnectorConfig } from '#config/connector.ts'
import { UpstreamError, type UpstreamFailure } from '#errors.ts'
import { ownAddresses } from '#federation/own-addresses.ts'
import { openConnectors } from '#federation/registry.ts'
import { type Clock, type Finding, fail, ok } from './finding.ts'

export type UpstreamPorts = {
  issuer: string
  connectors: ConnectorConfig[]
  /** The guarded client, with its limits of time and size. */
  fetch: typeof fetch
  now: () => number
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
    if (!Number.isNaN(date)) clocks.push({ whose: host, ahead: date - (asked + now()) / 2 })
    return answer
  }
  const open = openConnectors(connectors, {
    fetch: watched,
    now,
    ownAddresses: (id) => ownAddresses(issuer, id),
    // Looks, and leaves nothing behind.
    firstUse: async () => true,
    documents: { find: async () => undefined, keep: async () => {} },
  })
  const queue = limit(atOnce)
  const findings = await Promise.all(
    [...open.values()].map((connector) =>
      queue(async () => {
        const check = `upstream ${connector.id}`
        try {
          await connector.probe()
          return ok(check, 'answers')
        } catch (error) {
          return describe(check, error)
        }
      }),
    ),
  )
  const idle = connectors.length - open.size
  if (idle === 0) return [findings, clocks]
  return [
    [...findings, ok('upstreams', `${idle} have no credentials: listed, not to be chosen`)],
    clocks,
  ]
}

const mends: Record<UpstreamFailure, string> = {
  unreachable:
    'ask them whether it is down; check settings.issuer, and that this machine may call it',
  slow: 'ask them; check that a firewall lets this machine call it',
  nonsense: 'check settings.issuer: is it the address that has /.well-known/openid-configuration?',
  refused: 'check the credentials they gave you',
  forged: 'check settings.issuer: it must be the issuer as they write it, to the last slash',
}

function describe(check: string, error: unknown): Finding {
  if (error instanceof UpstreamError) {
    return fail(check, error.message.slice(error.connector.length + 2), mends[error.failure])
  }
  const said = error instanceof Error ? error.message : String(error)
  return fail(check, said, 'check its file in connectors/ and the variables it names')
}
