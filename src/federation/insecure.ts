/** Upstreams that have no TLS, which an operator put up with by `insecure: true`. */
import type { ConnectorConfig } from '#config/connector.ts'
import { isHost } from './claimed-id.ts'
import { hostsOf } from './connectors/openid2/reach.ts'

type Insecure = Extract<ConnectorConfig, { type: 'openid2' }>

/** Those that are connected: what is only listed is called by nobody. */
export const insecureUpstreams = (connectors: ConnectorConfig[]): Insecure[] =>
  connectors.flatMap((one) =>
    one.type === 'openid2' && one.settings.insecure && one.credentials ? [one] : [],
  )

/** Whether an address may be called over http. */
export function openPlainAddresses(connectors: ConnectorConfig[]): (url: URL) => boolean {
  const hosts = insecureUpstreams(connectors).flatMap(({ settings }) => hostsOf(settings))
  return (url) => hosts.some((one) => isHost(url.host, one))
}
