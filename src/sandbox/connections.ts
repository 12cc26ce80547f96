/** Connects what the operator has not: an upstream's file, moved to the sandbox, with credentials good there only. */
import { join } from 'node:path'
import {
  type ConnectorConfig,
  type ConnectorFile,
  type ConnectorType,
  type Credentials,
  connectorFile,
} from '#config/connector.ts'
import { readYaml } from '#config/yaml.ts'
import type { Certificate } from './certificates.ts'
import { countyClient, countyIssuer, type Upstream, upstreams } from './counties.ts'

/** What the sandbox made for itself, once. */
export type Made = {
  sandboxPort: number
  /** We, towards the school with SAML. */
  serviceProvider: Certificate
  /** Where the directory listens, and what its certificate is checked by. */
  directory: { url: string; ca: string }
}

type FileOf<T extends ConnectorType> = Extract<ConnectorFile, { type: T }>
type UpstreamOf<T extends ConnectorType> = Extract<Upstream, { protocol: T }>
type Connection<T extends ConnectorType> = {
  settings: FileOf<T>['settings']
  credentials: Credentials
}
type Connect<T extends ConnectorType> = (
  file: FileOf<T>,
  upstream: UpstreamOf<T>,
  made: Made,
) => Connection<T>

/** What differs from the file of the real one, by protocol. */
const connections: { [T in ConnectorType]: Connect<T> } = {
  oidc({ settings }, { id }, { sandboxPort }) {
    // Its discovery says where people sign out.
    const { claims_call: call, end_session_endpoint: _, ...rest } = settings
    const issuer = countyIssuer(sandboxPort, id)
    return {
      settings: {
        ...rest,
        issuer,
        ...(call ? { claims_call: { ...call, url: moved(call.url, issuer) } } : {}),
      },
      credentials: countyClient(id),
    }
  },
  openid2({ settings }, { id, routes }, { sandboxPort }) {
    const { endpoint: _, ...rest } = settings
    const host = `localhost:${sandboxPort}`
    return {
      settings: {
        ...rest,
        identifier: `${countyIssuer(sandboxPort, id)}${routes.identifier}`,
        hosts: [host],
        claimed_id: `^http://${host}/${id}${routes.person.replaceAll('.', '\\.')}[^/?#]+$`,
        endpoint_hosts: [],
        insecure: true,
      },
      credentials: {},
    }
  },
  saml({ settings }, { id, routes }, { sandboxPort, serviceProvider }) {
    const address = `${countyIssuer(sandboxPort, id)}${routes.metadata}`
    return {
      settings: { ...settings, entity_id: address, metadata_url: address },
      credentials: { privateKey: serviceProvider.key, certificate: serviceProvider.certificate },
    }
  },
  oauth2({ settings }, { id, routes }, { sandboxPort }) {
    const { end_session_endpoint: _, ...rest } = settings
    const issuer = countyIssuer(sandboxPort, id)
    return {
      settings: {
        ...rest,
        issuer,
        authorization_endpoint: `${issuer}${routes.authorization}`,
        token_endpoint: `${issuer}${routes.token}`,
        calls: settings.calls.map((call) => ({ ...call, url: moved(call.url, issuer) })),
      },
      credentials: countyClient(id),
    }
  },
  ldap: ({ settings }, _, { directory: { url, ca } }) => ({
    settings: { ...settings, url },
    credentials: { ca },
  }),
}

/** The same path, elsewhere. */
const moved = (url: string, base: string) => url.replace(/^https:\/\/[^/]+/, base)

/** The deployment's upstreams, those connected that the sandbox has, and behind them those that are only there. */
export function connectAll(connectors: ConnectorConfig[], made: Made): ConnectorConfig[] {
  return [
    ...connectors.map((one) => (one.credentials ? one : connect(one, made))),
    ...ownFiles().map((file) => connect(file, made)),
  ]
}

/** As it is, where the sandbox has nobody of that name who speaks that. */
function connect(file: ConnectorFile, made: Made): ConnectorConfig {
  const upstream = upstreams.find(({ id, protocol }) => id === file.id && protocol === file.type)
  if (!upstream) return file
  // The table pairs each type with what connects it; the compiler does not follow the pair through a union.
  const connection = connections[file.type] as Connect<ConnectorType>
  return { ...file, ...connection(file, upstream, made), insecure: true } as ConnectorConfig
}

/** Those no deployment has: written as an operator would write them. */
function ownFiles(): ConnectorFile[] {
  return ['saml-school', 'directory'].map((id) => {
    const file = join(import.meta.dirname, 'connectors', `${id}.yaml`)
    const { value, problems } = readYaml(file, connectorFile)
    if (value) return value
    throw new Error(
      `${file}: ${problems.map(({ key, message }) => `${key} ${message}`).join('; ')}`,
    )
  })
}
