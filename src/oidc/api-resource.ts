/** Our own API as a resource (RFC 8707): its name, and which of its scopes a client may ask for. */
import { type Client, errors, type ResourceServer } from 'oidc-provider'

/** What tokens for it are made for: `aud`. */
export const apiResource = (issuer: string): string => `${issuer}/api/v1`

/** Seconds a token for it lives. */
const apiTokenSeconds = 10 * 60

/** Scopes of the API; all others are OpenID Connect's or another API's. */
export const isApiScope = (scope: string): boolean => scope.startsWith('admin:')

/**
 * Parts a registered `scope`: the provider knows the names of its own scopes only. A client whose registration names
 * none of the API's may not ask for it: to have no `scope` means everything else.
 */
export function partScopes(scope: unknown): { scope?: string; api_scopes: string[] } {
  if (typeof scope !== 'string') return { api_scopes: [] }
  const all = scope.split(' ')
  const others = all.filter((one) => !isApiScope(one))
  return { scope: others.join(' ') || 'openid', api_scopes: all.filter(isApiScope) }
}

/** What the provider has to know of it, for one client. Throws for a client that may not ask. */
export function apiResourceServer(
  issuer: string,
  offered: readonly string[],
  { api_scopes = [] }: Pick<Client, 'api_scopes'>,
  route: string,
): ResourceServer {
  // With a code read out to them staff would confirm a screen they do not see (RFC 8628 §5.4).
  if (route.startsWith('device')) throw new errors.InvalidTarget()
  const allowed = offered.filter((scope) => api_scopes.includes(scope))
  if (allowed.length === 0) throw new errors.InvalidTarget()
  return {
    scope: allowed.join(' '),
    audience: apiResource(issuer),
    accessTokenFormat: 'opaque',
    accessTokenTTL: apiTokenSeconds,
  } as ResourceServer
}
