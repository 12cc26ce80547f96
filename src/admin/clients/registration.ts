/** Settings as staff see them, and the registration that is kept: RFC 7591's names and our own. */
import { isApiScope } from '#oidc/api-resource.ts'
import { scopeClaims } from '#oidc/claims.ts'
import type { ClientRow } from '#store/store.ts'
import type { NewSettings, Settings } from './schema.ts'

type Metadata = ClientRow['metadata']

/** OpenID Connect's and our own; all others are those of APIs. */
export const staticScopes: readonly string[] = [...Object.keys(scopeClaims), 'offline_access']
export const singleClaims: readonly string[] = Object.entries(scopeClaims).flatMap(
  ([scope, claims]) => (scope === 'openid' ? [] : claims),
)

/** RFC 6749 §2.1: it cannot keep a secret. */
export const isPublic = ({ kind }: Pick<Settings, 'kind'>) => kind === 'spa' || kind === 'native'

/** The settings with defaults for all that was left out. */
export function fillIn(given: Partial<Settings> & Pick<Settings, 'name' | 'kind'>): Settings {
  return {
    redirectUris: [],
    postLogoutRedirectUris: [],
    contacts: [],
    purposes: {},
    authMethod: isPublic(given) ? 'none' : 'client_secret_basic',
    idTokenAlg: 'RS256',
    pkce: true,
    pairwise: false,
    firstParty: false,
    idTokenClaims: false,
    requireSecondFactor: false,
    device: false,
    dpop: false,
    ...dropUndefined(given),
  }
}

const dropUndefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T

/** Of the command line and others who speak of a client's `type`. */
export type NewClient = Omit<NewSettings, 'kind'> & { type: NewSettings['kind'] }

/** RFC 8628 §3.4. */
export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'

/** The registration the settings mean. What they do not cover stays as in `before`: an app that registered itself may have said more. */
export function toMetadata(settings: Settings, before: Metadata = {}): Metadata {
  const { kind, redirectUris, scopes } = settings
  const signsIn = redirectUris.length > 0
  const managed: Metadata = {
    client_name: settings.name,
    'client_name#en': settings.nameEn,
    application_type: kind === 'native' ? 'native' : 'web',
    redirect_uris: redirectUris,
    post_logout_redirect_uris: settings.postLogoutRedirectUris,
    response_types: signsIn ? ['code'] : [],
    grant_types: grantTypes(settings, before),
    token_endpoint_auth_method: settings.authMethod,
    id_token_signed_response_alg: settings.idTokenAlg,
    subject_type: settings.pairwise ? 'pairwise' : 'public',
    require_pkce: settings.pkce,
    first_party: settings.firstParty,
    id_token_claims: settings.idTokenClaims,
    require_second_factor: settings.requireSecondFactor || undefined,
    dpop_bound_access_tokens: settings.dpop,
    scope: scopes && scopeOf(scopes),
    resource_scopes: scopes?.filter((one) => !staticScopes.includes(one) && !isApiScope(one)),
    single_claims: scopes ? (settings.claims ?? []) : settings.claims,
    purposes: filled(settings.purposes),
    client_uri: settings.clientUri,
    tos_uri: settings.tosUri,
    policy_uri: settings.policyUri,
    contacts: settings.contacts.length > 0 ? settings.contacts : undefined,
    jwks_uri: settings.jwksUri,
    jwks: settings.jwks === undefined ? undefined : JSON.parse(settings.jwks),
    sector_identifier_uri: settings.sectorIdentifierUri,
    backchannel_logout_uri: settings.backchannelLogoutUri,
    backchannel_logout_session_required: settings.backchannelLogoutUri ? true : undefined,
    resource_server: settings.resourceServer,
    access_token_seconds: settings.accessTokenSeconds,
    id_token_seconds: settings.idTokenSeconds,
    refresh_token_seconds: settings.refreshTokenSeconds,
  }
  return dropUndefined({ ...before, ...managed })
}

/** Grants the settings do not choose stay as they were registered. */
function grantTypes({ kind, redirectUris, device }: Settings, before: Metadata): string[] {
  const usual = kind === 'machine' ? ['client_credentials'] : ['refresh_token']
  const others = textsOf(before.grant_types) ?? usual
  return [
    ...(redirectUris.length > 0 ? ['authorization_code'] : []),
    ...others.filter((one) => one !== 'authorization_code' && one !== deviceGrant),
    ...(device ? [deviceGrant] : []),
  ]
}

/** Every app may ask who somebody is: without it the others mean nothing. */
const scopeOf = (scopes: readonly string[]): string =>
  [
    ...new Set([
      'openid',
      ...scopes.filter((one) => staticScopes.includes(one) || isApiScope(one)),
    ]),
  ].join(' ')

function filled(purposes: Settings['purposes']): Settings['purposes'] | undefined {
  const some = Object.entries(purposes).flatMap(([scope, words]) => {
    const said = Object.fromEntries(Object.entries(words).filter(([, text]) => text))
    return Object.keys(said).length > 0 ? [[scope, said] as const] : []
  })
  return some.length > 0 ? Object.fromEntries(some) : undefined
}

/** `resourceScopes`: of all APIs, what a registration that does not say may ask for. */
export function toSettings(
  { name, kind, metadata }: Pick<ClientRow, 'name' | 'kind' | 'metadata'>,
  resourceScopes: readonly string[],
): Settings {
  const scope = textOf(metadata.scope)
  const scopes = scope && [
    ...scope.split(' '),
    ...(textsOf(metadata.resource_scopes) ?? resourceScopes),
  ]
  const settings: Settings = {
    name: textOf(metadata.client_name) ?? name,
    nameEn: textOf(metadata['client_name#en']),
    kind,
    redirectUris: textsOf(metadata.redirect_uris) ?? [],
    postLogoutRedirectUris: textsOf(metadata.post_logout_redirect_uris) ?? [],
    backchannelLogoutUri: textOf(metadata.backchannel_logout_uri),
    clientUri: textOf(metadata.client_uri),
    tosUri: textOf(metadata.tos_uri),
    policyUri: textOf(metadata.policy_uri),
    contacts: textsOf(metadata.contacts) ?? [],
    scopes: scopes || undefined,
    claims: textsOf(metadata.single_claims),
    purposes: (metadata.purposes ?? {}) as Settings['purposes'],
    authMethod: (textOf(metadata.token_endpoint_auth_method) ??
      'client_secret_basic') as Settings['authMethod'],
    jwksUri: textOf(metadata.jwks_uri),
    jwks: metadata.jwks === undefined ? undefined : JSON.stringify(metadata.jwks, null, 2),
    idTokenAlg: (textOf(metadata.id_token_signed_response_alg) ?? 'RS256') as 'RS256' | 'ES256',
    pkce: metadata.require_pkce !== false,
    pairwise: metadata.subject_type === 'pairwise',
    sectorIdentifierUri: textOf(metadata.sector_identifier_uri),
    firstParty: metadata.first_party === true,
    idTokenClaims: metadata.id_token_claims === true,
    requireSecondFactor: metadata.require_second_factor === true,
    device: textsOf(metadata.grant_types)?.includes(deviceGrant) ?? false,
    resourceServer: textOf(metadata.resource_server),
    dpop: metadata.dpop_bound_access_tokens === true,
    accessTokenSeconds: numberOf(metadata.access_token_seconds),
    idTokenSeconds: numberOf(metadata.id_token_seconds),
    refreshTokenSeconds: numberOf(metadata.refresh_token_seconds),
  }
  return dropUndefined(settings)
}

const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)
const numberOf = (value: unknown) => (typeof value === 'number' ? value : undefined)
const textsOf = (value: unknown): string[] | undefined =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : undefined

/** Whether it authenticates at the token endpoint with a secret we made. */
export const usesSecret = (metadata: Metadata): boolean =>
  String(metadata.token_endpoint_auth_method ?? 'client_secret_basic').startsWith('client_secret_')

/** A registration as RFC 7591 names it, without its secret. */
export function describe(row: ClientRow): Record<string, unknown> {
  return { client_id: row.id, client_id_issued_at: row.createdAt, ...row.metadata }
}
