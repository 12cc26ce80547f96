/** Every protocol and every vocabulary we know, and the connectors a deployment opens with them. */
import type { ConnectorConfig, Credentials } from '#config/schema.ts'
import type { Connector, FederationPorts } from './connector.ts'
import { openOidcConnector } from './connectors/oidc.ts'
import type { Profile } from './profile.ts'
import { kaohsiung } from './profiles/kaohsiung.ts'
import { moeEduinfo } from './profiles/moe-eduinfo.ts'

type Connectable = Exclude<ConnectorConfig, { type: 'unconnected' }>

type OpenConnector = (
  config: Connectable,
  credentials: Credentials,
  ports: FederationPorts,
) => Connector

/** A vocabulary is a function. */
export const profiles: Record<Connectable['profile'], Profile> = {
  'moe-eduinfo': moeEduinfo,
  kaohsiung,
}

/** A protocol is a connector. */
export const types: Record<Connectable['type'], OpenConnector> = {
  oidc: ({ id, settings, profile, insecure }, credentials, ports) =>
    openOidcConnector(id, settings, { ...credentials, insecure }, profiles[profile], ports),
}

/** By id, those that can be used: what is only listed, or has no credentials, is not opened. No I/O. */
export function openConnectors(
  list: ConnectorConfig[],
  ports: FederationPorts,
): Map<string, Connector> {
  const open = new Map<string, Connector>()
  for (const config of list) {
    if (config.type === 'unconnected' || !config.credentials) continue
    open.set(config.id, types[config.type](config, config.credentials, ports))
  }
  return open
}
