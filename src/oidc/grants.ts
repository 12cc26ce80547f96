/** Which grant an authorization request starts from: what was allowed before, or everything for our own apps. */
import type { Grant, KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { Granted, Store } from '#store/store.ts'

/** The grant of this session if there is one, else a new one from remembered consent; none for a stranger app. */
export async function loadGrant(
  provider: Provider,
  store: Store,
  ctx: KoaContextWithOIDC,
): Promise<Grant | undefined> {
  const { client, account, session, result } = ctx.oidc
  if (!client || !account || !session) return undefined

  const grantId = result?.consent?.grantId ?? session.grantIdFor(client.clientId)
  const known = grantId ? await provider.Grant.find(grantId) : undefined
  if (known?.accountId === account.accountId && !client.first_party) return known

  const granted = client.first_party
    ? asked(ctx)
    : await store.consents.find(account.accountId, client.clientId)
  if (!granted) return undefined

  const grant =
    known?.accountId === account.accountId
      ? known
      : new provider.Grant({ accountId: account.accountId, clientId: client.clientId })
  const before = grant.jti ? JSON.stringify(grant) : undefined
  addToGrant(grant, granted)
  if (JSON.stringify(grant) !== before) await grant.save()
  return grant
}

/** Everything this request asks for. */
function asked({ oidc }: KoaContextWithOIDC): Granted {
  return {
    scopes: [...oidc.requestParamOIDCScopes],
    claims: [...oidc.requestParamClaims],
    resources: Object.fromEntries(
      Object.entries(oidc.resourceServers ?? {}).map(([id, server]) => [
        id,
        [...oidc.requestParamScopes].filter((scope) => server.scopes.has(scope)),
      ]),
    ),
  }
}

/** Adds to what the grant already allows. */
export function addToGrant(grant: Grant, { scopes, claims, resources }: Granted): void {
  if (scopes.length > 0) grant.addOIDCScope(scopes.join(' '))
  if (claims.length > 0) grant.addOIDCClaims(claims)
  for (const [id, allowed] of Object.entries(resources)) {
    if (allowed.length > 0) grant.addResourceScope(id, allowed.join(' '))
  }
}
