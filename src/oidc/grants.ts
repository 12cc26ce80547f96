/** What this authorization request stands on: what was allowed before, or everything for our own apps. */
import type { Grant, KoaContextWithOIDC, Provider } from 'oidc-provider'
import { sha256 } from '#lib/crypto.ts'
import type { Granted, Store } from '#store/store.ts'
import { unasked } from './withdrawals.ts'

/**
 * The session's grant, widened to what the person consented to; for one of our own apps, to what it asks.
 * One grant serves all tabs of a session: a second one would end the tokens of the first.
 */
export async function loadGrant(
  provider: Provider,
  store: Store,
  ctx: KoaContextWithOIDC,
): Promise<Grant | undefined> {
  const { client, account, session } = ctx.oidc
  if (!client || !account || !session) return undefined
  const { accountId } = account
  const { clientId } = client

  const grantId = session.grantIdFor(clientId)
  const found = grantId ? await provider.Grant.find(grantId) : undefined
  const known = found?.accountId === accountId ? found : undefined
  const wanted = asked(ctx)
  if (known && covers(known, wanted)) return known

  const granted = client.first_party ? wanted : await store.consents.find(accountId, clientId)
  if (!granted) return known
  // One id for one session, person and app: tabs that begin at the same moment share the grant. After one that was
  // revoked it is another id: a token that was being issued at that moment must not come to life again.
  const id = sha256([session.uid, accountId, clientId, grantId ?? ''].join('\n'))
  const jti = client.first_party ? `${unasked}${id}` : id
  const grant = known ?? new provider.Grant({ accountId, clientId, jti } as NewGrant)
  addTo(grant, granted)
  await grant.save()
  return grant
}

/** The library takes an id and its types do not say so. */
type NewGrant = ConstructorParameters<Provider['Grant']>[0]

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

function covers(grant: Grant, { scopes, claims, resources }: Granted): boolean {
  const has = (allowed: string, wanted: string[]) => {
    const set = new Set(allowed.split(' '))
    return wanted.every((one) => set.has(one))
  }
  return (
    has(grant.getOIDCScope(), scopes) &&
    has(grant.getOIDCClaims().join(' '), claims) &&
    Object.entries(resources).every(([id, wanted]) => has(grant.getResourceScope(id), wanted))
  )
}

function addTo(grant: Grant, { scopes, claims, resources }: Granted): void {
  if (scopes.length > 0) grant.addOIDCScope(scopes.join(' '))
  if (claims.length > 0) grant.addOIDCClaims(claims)
  for (const [id, allowed] of Object.entries(resources)) {
    if (allowed.length > 0) grant.addResourceScope(id, allowed.join(' '))
  }
}
