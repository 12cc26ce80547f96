/** Every protocol and every vocabulary we know, and the connectors a deployment opens with them. */
import type {
  ConnectorConfig,
  ConnectorFile,
  ConnectorType,
  Credentials,
  ProfileName,
} from '#config/connector.ts'
import type { Connector, FederationPorts } from './connector.ts'
import { openLdapConnector } from './connectors/ldap.ts'
import { openOAuth2Connector } from './connectors/oauth2.ts'
import { openOidcConnector } from './connectors/oidc.ts'
import { openOpenId2Connector } from './connectors/openid2.ts'
import { openSamlConnector } from './connectors/saml.ts'
import type { Profile } from './profile.ts'
import { districtSchema } from './profiles/district-schema.ts'
import { eduSchema } from './profiles/edu-schema.ts'
import { kaohsiung } from './profiles/kaohsiung.ts'
import { librarySchema } from './profiles/library-schema.ts'
import { openMapped } from './profiles/mapped.ts'
import { moeEduinfo } from './profiles/moe-eduinfo.ts'
import { moeSchema } from './profiles/moe-schema.ts'
import { sregSchema } from './profiles/sreg-schema.ts'
import { tainan } from './profiles/tainan.ts'
import { taipei } from './profiles/taipei.ts'

/** What a connector of this type is opened with: its file, and what the file does not hold. */
export type Opening<T extends ConnectorType = ConnectorType> = Extract<
  ConnectorFile,
  { type: T }
> & {
  credentials: Credentials
  /** Plain http allowed: the sandbox's. */
  insecure: boolean
}

export type OpenConnector<T extends ConnectorType> = (
  opening: Opening<T>,
  profile: Profile,
  ports: FederationPorts,
) => Connector

/** A vocabulary is a function. */
export const profiles: Record<Exclude<ProfileName, 'mapped'>, Profile> = {
  'moe-eduinfo': moeEduinfo,
  kaohsiung,
  taipei,
  'moe-schema': moeSchema,
  tainan,
  'edu-schema': eduSchema,
  'library-schema': librarySchema,
  'sreg-schema': sregSchema,
  'district-schema': districtSchema,
}

/** A protocol is a connector. */
export const types: { [T in ConnectorType]: OpenConnector<T> } = {
  oidc: openOidcConnector,
  openid2: openOpenId2Connector,
  saml: openSamlConnector,
  oauth2: openOAuth2Connector,
  ldap: openLdapConnector,
}

const profileOf = ({ profile, map = {} }: Pick<ConnectorFile, 'profile' | 'map'>): Profile =>
  profile === 'mapped' ? openMapped(map) : profiles[profile]

/** By id, those that can be used: what is only listed, or has no credentials, is not opened. No I/O. */
export function openConnectors(
  list: ConnectorConfig[],
  ports: FederationPorts,
): Map<string, Connector> {
  const open = new Map<string, Connector>()
  for (const config of list) {
    const { credentials, insecure = false } = config
    if (!credentials) continue
    // The table pairs each type with what opens it; the compiler does not follow the pair through a union.
    const openOne = types[config.type] as OpenConnector<ConnectorType>
    open.set(config.id, openOne({ ...config, credentials, insecure }, profileOf(config), ports))
  }
  return open
}
