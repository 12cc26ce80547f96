/** Our own client settings beside RFC 7591's, and how a registration becomes what the provider reads. */
import type { ClientMetadata } from 'oidc-provider'
import { equalInConstantTime, randomToken, sha256, withoutDashAtHead } from '#lib/crypto.ts'
import type { NewClientRow } from '#store/store.ts'
import { partScopes } from './api-resource.ts'

/** 132 bits. */
export const newClientId = (): string => withoutDashAtHead(randomToken().slice(0, 22))

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
  /** Scopes of configured APIs it may ask for; absent: all of them. */
  'resource_scopes',
  /** Claims it may ask for one by one, beside those of its scopes; absent: all. */
  'single_claims',
  /** Why it wants a scope, by scope and language: read when people are asked. */
  'purposes',
  /** People sign in to it with a second factor. */
  'require_second_factor',
  /** Other lives of its tokens than the site's, in seconds. */
  'access_token_seconds',
  'id_token_seconds',
  'refresh_token_seconds',
  /** RFC 7591 §2.2. */
  'client_name#en',
  /** SHA-256 of its picture, which we keep. */
  'logo',
  /** Staff switched it off. */
  'disabled',
  /** Scopes of our own API it may ask for: of its registered `scope`, never written by itself. */
  'api_scopes',
] as const

export type CitygateClientMetadata = {
  require_pkce?: boolean
  first_party?: boolean
  id_token_claims?: boolean
  resource_server?: string
  resource_scopes?: readonly string[]
  single_claims?: readonly string[]
  purposes?: Purposes
  require_second_factor?: boolean
  access_token_seconds?: number
  id_token_seconds?: number
  refresh_token_seconds?: number
  'client_name#en'?: string
  logo?: string
  disabled?: boolean
  api_scopes?: readonly string[]
}

/** By scope, then by language. */
export type Purposes = Readonly<Record<string, Readonly<Record<string, string>>>>

const digestPrefix = 'sha256:'

/** The metadata node-oidc-provider reads. The secrets' place is taken by their digests, each with its end. */
export function toProviderMetadata(row: NewClientRow): ClientMetadata {
  return {
    ...row.metadata,
    ...partScopes(row.metadata.scope),
    client_id: row.id,
    disabled: row.disabledAt !== undefined,
    ...keptSecrets(row),
  }
}

type Kept = { hash: string | undefined; expiresAt: number | undefined }

function keptSecrets(row: NewClientRow): Pick<ClientMetadata, 'client_secret'> {
  const secrets: Kept[] = [
    { hash: row.secretHash, expiresAt: row.secretExpiresAt },
    { hash: row.formerSecretHash, expiresAt: row.formerSecretExpiresAt },
  ]
  const kept = secrets.filter(({ hash }) => hash !== undefined)
  if (kept.length === 0) return {}
  const digests = kept.map(({ hash, expiresAt }) => `${hash}~${expiresAt ?? ''}`)
  return { client_secret: `${digestPrefix}${digests.join(',')}` }
}

/**
 * Compares what a client presents with every digest we keep, in constant time; one whose end has come fits nothing.
 * Secrets are 256 random bits: SHA-256 is enough.
 */
export function secretMatches(kept: string | undefined, presented: string, at: number): boolean {
  if (!kept?.startsWith(digestPrefix)) return false
  const digest = sha256(presented)
  const fits = kept
    .slice(digestPrefix.length)
    .split(',')
    .map((one) => {
      const [hash = '', expiresAt = ''] = one.split('~')
      const same = equalInConstantTime(hash, digest)
      return same && (expiresAt === '' || at < Number(expiresAt))
    })
  return fits.includes(true)
}

/** Of the scopes a token carries those its client may still ask for: what its registration lost, its tokens lose with it. */
export const keptScopes = (
  { scope: allowed }: Pick<ClientMetadata, 'scope'>,
  carried: readonly string[],
): string[] => carried.filter((scope) => allowed?.split(' ').includes(scope) ?? true)

/** Of the scopes an API offers, those a client may ask for. */
export const grantedScopes = (
  { resource_scopes: allowed }: Pick<CitygateClientMetadata, 'resource_scopes'>,
  offered: readonly string[],
): string[] => offered.filter((scope) => allowed?.includes(scope) ?? true)
