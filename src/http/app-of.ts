/** How a relying-party app is shown to a person. */
import type { Client } from 'oidc-provider'
import type { Connector } from '#federation/connector.ts'

export type App = {
  name: string
  /** Where it really is: a name can claim anything. */
  host: string
  /** A page of the app to go back to; absent for apps that have none on the web. */
  home?: string
  policyUri?: string
  tosUri?: string
  native: boolean
  firstParty: boolean
  /** Of its picture, which we keep. */
  logoUri?: string
}

/** Under its own name in that language, where it has one (RFC 7591 §2.2). */
export function appOf(
  client: Client,
  {
    redirectUri,
    language,
  }: { redirectUri?: string | undefined; language?: string | undefined } = {},
): App {
  const target = URL.parse(redirectUri ?? client.redirectUris?.[0] ?? '')
  const web = target?.protocol === 'https:' || target?.protocol === 'http:'
  const host = web ? target.host : (target?.protocol ?? '')
  return {
    name: (language === 'en' ? client['client_name#en'] : undefined) ?? client.clientName ?? host,
    host,
    home: client.clientUri ?? (web ? target.origin : undefined),
    policyUri: client.policyUri,
    tosUri: client.tosUri,
    native: client.applicationType === 'native',
    firstParty: client.first_party === true,
    ...(client.logo ? { logoUri: logoPath(client.clientId, client.logo) } : {}),
  }
}

/** Another picture has another address. */
export const logoPath = (clientId: string, logo: string): string =>
  `/apps/${encodeURIComponent(clientId)}/logo?v=${encodeURIComponent(logo)}`

/** A CSP source for an address: its origin, or its scheme where it has none (`com.example.app:/cb`). */
export function cspSource(uri: string | undefined): string[] {
  const url = uri === undefined ? null : URL.parse(uri)
  if (!url) return []
  const source = url.origin === 'null' ? url.protocol : url.origin
  // A `;` in a host name would end the directive.
  return /^[a-z][a-z0-9+.-]*:(\/\/[a-z0-9.:[\]-]+)?$/.test(source) ? [source] : []
}

/** Where a form that may sign somebody in can lead: the app, and every county. */
export const formSources = (
  connectors: ReadonlyMap<string, Connector>,
  redirectUri: string | undefined,
): string[] => [
  ...cspSource(redirectUri),
  ...[...connectors.values()].flatMap(({ origins }) => origins),
]
