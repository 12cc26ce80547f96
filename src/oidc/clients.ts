/** Our own client settings beside RFC 7591's, and how a registration becomes what the provider reads. */
import type { ClientMetadata } from 'oidc-provider'
import { equalInConstantTime, sha256 } from '#lib/crypto.ts'
import type { ClientRow } from '#store/store.ts'

/** Settings of ours that a registration may carry. */
export const extraClientMetadata = [
  /** False: this old relying party may leave PKCE out. Public clients never may. */
  'require_pkce',
  /** One of our own apps: no consent page. */
  'first_party',
  /** Profile claims also in the ID token, for apps that never call userinfo. */
  'id_token_claims',
  /** The resource indicator this client serves: it may introspect tokens made for it. */
  'resource_server',
] as const

export type CitygateClientMetadata = {
  require_pkce?: boolean
  first_party?: boolean
  id_token_claims?: boolean
  resource_server?: string
}

const digestPrefix = 'sha256:'

/** The metadata node-oidc-provider reads. The secret's place is taken by its digest. */
export function toProviderMetadata(row: ClientRow): ClientMetadata {
  return {
    ...row.metadata,
    client_id: row.id,
    ...(row.secretHash ? { client_secret: `${digestPrefix}${row.secretHash}` } : {}),
  }
}

/** Compares what a client presents with the digest we keep. Secrets are 256 random bits: SHA-256 is enough. */
export function secretMatches(kept: string | undefined, presented: string): boolean {
  return (
    kept?.startsWith(digestPrefix) === true &&
    equalInConstantTime(kept.slice(digestPrefix.length), sha256(presented))
  )
}
