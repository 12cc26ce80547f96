/** How a relying-party app is shown to a person. */
import type { Client } from 'oidc-provider'
import type { Connector } from '#federation/connector.ts'
import type { ClientRow } from '#store/store.ts'

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
  return {
    name: nameIn(language, client['client_name#en'], client.clientName) ?? hostOf(target),
    host: hostOf(target),
    home: client.clientUri ?? (target && isWeb(target) ? target.origin : undefined),
    policyUri: client.policyUri,
    tosUri: client.tosUri,
    native: client.applicationType === 'native',
    firstParty: client.first_party === true,
    ...(client.logo ? { logoUri: logoPath(client.clientId, client.logo) } : {}),
  }
}

const isWeb = ({ protocol }: URL) => protocol === 'https:' || protocol === 'http:'
const hostOf = (target: URL | null) =>
  target === null ? '' : isWeb(target) ? target.host : target.protocol
const nameIn = (language: string | undefined, english?: string, name?: string) =>
  (language === 'en' ? english : undefined) ?? name

/** The same name, of a registration as it is kept. */
export function nameOfApp({ metadata }: Pick<ClientRow, 'metadata'>, language: string): string {
  const { client_name: name, 'client_name#en': english, redirect_uris: uris } = metadata
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  const [first] = Array.isArray(uris) ? uris : []
  return nameIn(language, text(english), text(name)) ?? hostOf(URL.parse(text(first) ?? ''))
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
