/** Does every upstream we are connected to answer, as the sign-in there would need it? */
import limit from 'p-limit'
import type { ConnectorConfig, ConnectorType } from '#config/connector.ts'
import { UpstreamError, type UpstreamFailure } from '#errors.ts'
import { dayOf } from '#federation/days.ts'
import { ownAddresses } from '#federation/own-addresses.ts'
import { openConnectors } from '#federation/registry.ts'
import { type Clock, type Finding, fail, ok, warn } from './finding.ts'

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
    if (!Number.isNaN(date)) clocks.push({ whose: host, ahead: date - (asked + now()) / 2 })
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
        const check = `upstream ${id}`
        const connector = open.get(id)
        if (!connector) return []
        try {
          await connector.probe()
          return (await checkCertificates(check, connector.servers, ports)) ?? ok(check, 'answers')
        } catch (error) {
          return describe(check, type, error)
        }
      }),
    ),
  )
  const idle = connectors.length - open.size
  const listed = `${idle} are not connected (no credentials, not switched on, or over): listed, not to be chosen`
  return [[...findings.flat(), ...(idle > 0 ? [ok('upstreams', listed)] : [])], clocks]
}

/** Where a file says whom it means, and what is to be found there. */
const places: Record<ConnectorType, { keys: string; has: string; name: string }> = {
  oidc: {
    keys: 'settings.issuer',
    has: 'is it the address that has /.well-known/openid-configuration?',
    name: 'settings.issuer: it must be the issuer as they write it, to the last slash',
  },
  openid2: {
    keys: 'settings.identifier, or settings.endpoint where it is given',
    has: 'does it answer with XRDS, or a page that links to its openid2.provider?',
    name: 'settings.hosts, settings.endpoint_hosts and settings.claimed_id: all it names must be listed',
  },
  saml: {
    keys: 'settings.metadata_url',
    has: 'is it the address of its metadata, an EntityDescriptor in XML?',
    name: 'settings.entity_id: it must be the entityID as they write it; and settings.certificates',
  },
  oauth2: {
    keys: 'settings.authorization_endpoint, settings.token_endpoint and the url of each of settings.calls',
    has: 'are they the addresses their documentation names today?',
    name: 'settings.calls: each must be an address of theirs',
  },
  ldap: {
    keys: 'settings.url and settings.start_tls',
    has: 'is it an LDAP server, and settings.base_dn one of its entries?',
    name: 'its certificate: settings.ca_env names the variable with the PEM it is checked by',
  },
}

/** Before its end people there have time to renew it. */
const soon = 14 * 24 * 60 * 60

/** What is wrong with them; one that cannot be looked at was good enough for the probe. */
async function checkCertificates(
  check: string,
  servers: string[],
  { certificateExpiry, now }: Pick<UpstreamPorts, 'certificateExpiry' | 'now'>,
): Promise<Finding | undefined> {
  for (const server of certificateExpiry ? servers : []) {
    const expires = await certificateExpiry?.(server).catch(() => undefined)
    if (expires === undefined || expires - now() / 1000 > soon) continue
    const until = new Date(expires * 1000).toISOString().slice(0, 10)
    return warn(check, `answers; the certificate of ${server} expires on ${until}`, 'tell them')
  }
  return undefined
}

const mends: Record<UpstreamFailure, (place: (typeof places)[ConnectorType]) => string> = {
  unreachable: ({ keys }) =>
    `ask them whether it is down; check ${keys}, and that this machine may call it`,
  slow: () => 'ask them; check that a firewall lets this machine call it',
  nonsense: ({ keys, has }) => `check ${keys}: ${has}`,
  refused: () => 'check the credentials they gave you',
  forged: ({ name }) => `check ${name}`,
}

function describe(check: string, type: ConnectorType, error: unknown): Finding {
  if (error instanceof UpstreamError) {
    const said = error.message.slice(error.connector.length + 2)
    return fail(check, said, mends[error.failure](places[type]))
  }
  const said = error instanceof Error ? error.message : String(error)
  return fail(check, said, 'check its file in connectors/ and the variables it names')
}
