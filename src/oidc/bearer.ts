/** Bearer access to our own small resources beside userinfo (RFC 6750). */
import type { Provider } from 'oidc-provider'
import type { AccountRow, Store } from '#store/store.ts'
import { keptScopes } from './clients.ts'
import type { Keys } from './keys.ts'
import { subjectFor } from './provider.ts'
import { findAccount } from './unit.ts'

export type Bearer =
  | {
      kind: 'granted'
      account: AccountRow
      clientId: string
      sub: string
      redirectUris: readonly string[]
    }
  /** RFC 6750 §3.1. `invalid_token` tells nothing about why. */
  | { kind: 'refused'; error: 'invalid_token' | 'insufficient_scope' }

/** Who is behind an opaque access token of ours that carries `scope`. */
export async function findBearer(
  provider: Provider,
  store: Store,
  keys: Keys,
  token: string,
  scope: string,
): Promise<Bearer> {
  const refused = { kind: 'refused', error: 'invalid_token' } as const
  const found = await provider.AccessToken.find(token)
  // A token bound to a key is no bearer token (RFC 9449 §7.1); one for another API is not for us.
  if (!found?.isValid || found.jkt || found['x5t#S256'] || found.aud || !found.grantId)
    return refused
  const [grant, client, account] = await Promise.all([
    provider.Grant.find(found.grantId),
    found.clientId ? provider.Client.find(found.clientId) : undefined,
    found.accountId ? findAccount(store, found.accountId) : undefined,
  ])
  if (!grant?.isValid || !client || account?.status !== 'active') return refused
  const granted = grant.getOIDCScopeFiltered(new Set(found.scope?.split(' '))).split(' ')
  if (!keptScopes(client, granted).includes(scope)) {
    return { kind: 'refused', error: 'insufficient_scope' }
  }
  return {
    kind: 'granted',
    account,
    clientId: client.clientId,
    sub: subjectFor(keys, account.id, client),
    redirectUris: client.redirectUris ?? [],
  }
}
