/** Every protocol a pretend county may speak, and what speaks it. Read when first asked for: a cold start stays quick. */
import type { RequestListener } from 'node:http'
import type { County, CountyOf, Protocol } from './counties.ts'
import type { CountyPorts } from './county-ports.ts'

/** Builds one provider. It is asked below its county's path: `req.url` has no `/<county>`, `originalUrl` has. */
type OpenProvider<P extends Protocol> = (
  county: CountyOf<P>,
  ports: CountyPorts,
) => Promise<RequestListener>

const providers: { [P in Protocol]: OpenProvider<P> } = {
  oidc: async (...opening) => (await import('./providers/oidc.ts')).openOidcProvider(...opening),
  openid2: async (...opening) =>
    (await import('./providers/openid2.ts')).openOpenId2Provider(...opening),
  saml: async (...opening) => (await import('./providers/saml.ts')).openSamlProvider(...opening),
  oauth2: async (...opening) =>
    (await import('./providers/oauth2.ts')).openOAuth2Provider(...opening),
}

export function openProvider(county: County, ports: CountyPorts): Promise<RequestListener> {
  // The table pairs each protocol with what speaks it; the compiler does not follow the pair through a union.
  const open = providers[county.protocol] as OpenProvider<Protocol>
  return open(county, ports)
}
