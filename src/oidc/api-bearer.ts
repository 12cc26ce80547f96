/** Who is behind an access token for our own API. */
import type { AccessToken, Provider } from 'oidc-provider'
import type { Store } from '#store/store.ts'
import { apiResource } from './api-resource.ts'
import { findAccount } from './unit.ts'

export type ApiBearer =
  | {
      kind: 'known'
      /** An account's id, or `client:<id>` of a program that acts for itself. */
      holder: string
      scopes: ReadonlySet<string>
      /** When she proved herself with both factors, seconds since 1970; absent for a program. */
      provedAt?: number
    }
  /** RFC 6750 §3.1 tells nothing about why; RFC 9470 §3 that she has to prove herself anew. */
  | { kind: 'refused'; error: 'invalid_token' | 'insufficient_user_authentication' }

type Ports = {
  provider: Provider
  store: Pick<Store, 'accounts'>
  issuer: string
  /** The `acr` of a sign-in with both factors. */
  twoFactor: string
}

/** The library takes it and its types do not say so. */
const unbound: object = { ignoreSessionBinding: true }

const refused = { kind: 'refused', error: 'invalid_token' } as const

/** Looked up at each call: whoever is suspended, signed out or removed meanwhile is nobody. */
export async function findApiBearer(ports: Ports, token: string): Promise<ApiBearer> {
  const { provider, issuer } = ports
  const [person, program] = await Promise.all([
    // Its session is looked at below, whether the token is said to end with it or not.
    provider.AccessToken.find(token, unbound),
    provider.ClientCredentials.find(token),
  ])
  const found = person ?? program
  // A token bound to a key is no bearer token (RFC 9449 §7.1); one for another API is not for us.
  if (!found?.isValid || found.jkt || found['x5t#S256']) return refused
  if (found.aud !== apiResource(issuer) || !found.clientId) return refused
  const client = await provider.Client.find(found.clientId)
  if (!client) return refused
  // What its registration lost, its tokens lose with it.
  const allowed = (scope = '') =>
    new Set(scope.split(' ').filter((one) => client.api_scopes?.includes(one)))
  return person
    ? personOf(ports, person, allowed)
    : { kind: 'known', holder: `client:${client.clientId}`, scopes: allowed(found.scope) }
}

async function personOf(
  { provider, store, issuer, twoFactor }: Ports,
  token: AccessToken,
  allowed: (scope?: string) => ReadonlySet<string>,
): Promise<ApiBearer> {
  const { accountId, sessionUid, grantId, clientId } = token
  if (!accountId || !sessionUid || !grantId || !clientId) return refused
  const [session, grant, account] = await Promise.all([
    provider.Session.findByUid(sessionUid),
    provider.Grant.find(grantId),
    findAccount(store, accountId),
  ])
  if (account?.status !== 'active' || !grant?.isValid || grant.accountId !== accountId) {
    return refused
  }
  // Who signed out, or whose place at this browser somebody else took, acts nowhere with it any more.
  if (session?.accountId !== accountId || session.grantIdFor(clientId) !== grantId) return refused
  if (session.acr !== twoFactor) {
    return { kind: 'refused', error: 'insufficient_user_authentication' }
  }
  const scope = grant.getResourceScopeFiltered(apiResource(issuer), token.scope?.split(' ') ?? [])
  return {
    kind: 'known',
    holder: accountId,
    scopes: allowed(scope),
    provedAt: session.loginTs ?? 0,
  }
}
