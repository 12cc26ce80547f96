/** What staff do with relying-party registrations. */
import { errors, type Provider } from 'oidc-provider'
import { z } from 'zod'
import type { SiteFile } from '#config/schema.ts'
import { randomToken, sha256 } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import { toProviderMetadata } from '#oidc/clients.ts'
import { forgetClient } from '#oidc/remembered-clients.ts'
import type { ClientRow, Store } from '#store/store.ts'

export const clientTypes = ['web', 'spa', 'native', 'machine'] as const
export type ClientType = (typeof clientTypes)[number]

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Redirect targets are compared letter by letter (RFC 9700 §4.1.3), so nothing may stand in them that means more. */
function redirectProblem(uri: string, type: ClientType): string | undefined {
  const url = URL.parse(uri)
  if (!url) return 'is not an absolute URL'
  if (url.hash || uri.includes('#')) return 'must not have a fragment (RFC 6749 §3.1.2)'
  if (uri.includes('*')) return 'must not have a wildcard: list every address'
  if (!/^[a-z0-9.:[\]-]*$/.test(url.host)) return 'has a host name with characters no host name has'
  if (url.username || url.password) return 'must not carry a user name or password'
  if (url.protocol === 'https:') return undefined
  if (url.protocol === 'http:') {
    return loopback.has(url.hostname)
      ? undefined
      : 'must be https (http only for loopback addresses)'
  }
  if (type !== 'native') return 'must be https'
  // RFC 8252 §7.1: a private scheme is a domain name backwards; javascript: and data: are none.
  return /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(url.protocol)
    ? undefined
    : 'must use https or a reverse-domain scheme such as tw.gov.example:/callback'
}

const uri = z.string().min(1).max(2000)

export const newClient = z
  .strictObject({
    name: z.string().trim().min(1, 'must not be empty').max(100),
    type: z.enum(clientTypes),
    redirectUris: z.array(uri).default([]),
    postLogoutRedirectUris: z.array(uri).default([]),
    backchannelLogoutUri: uri.optional(),
    clientUri: uri.optional(),
    scopes: z.array(z.string().min(1)).optional(),
    authMethod: z.enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt']).optional(),
    jwksUri: uri.optional(),
    idTokenAlg: z.enum(['RS256', 'ES256']).default('RS256'),
    pkce: z.boolean().default(true),
    pairwise: z.boolean().default(false),
    sectorIdentifierUri: uri.optional(),
    firstParty: z.boolean().default(false),
    idTokenClaims: z.boolean().default(false),
    device: z.boolean().default(false),
    resourceServer: uri.optional(),
    dpop: z.boolean().default(false),
  })
  .superRefine((client, ctx) => {
    const complain = (path: PropertyKey[], message: string) =>
      ctx.addIssue({ code: 'custom', path, message })
    const redirects = client.redirectUris.length
    if (client.type === 'machine' && redirects > 0) {
      complain(['redirectUris'], 'a machine has nobody to redirect')
    }
    if (client.type !== 'machine' && redirects === 0 && !client.device) {
      complain(['redirectUris'], 'at least one is needed')
    }
    for (const name of ['redirectUris', 'postLogoutRedirectUris'] as const) {
      for (const [i, value] of client[name].entries()) {
        const problem = redirectProblem(value, client.type)
        if (problem) complain([name, i], problem)
      }
    }
    for (const name of ['jwksUri', 'backchannelLogoutUri', 'sectorIdentifierUri'] as const) {
      const value = client[name]
      const problem = value === undefined ? undefined : redirectProblem(value, 'web')
      if (problem) complain([name], problem)
    }
    const isPublic = client.type === 'spa' || client.type === 'native'
    if (isPublic && !client.pkce) complain(['pkce'], 'a public client never does without PKCE')
    if (isPublic && client.authMethod) complain(['authMethod'], 'a public client keeps no secret')
    if (client.authMethod === 'private_key_jwt' && !client.jwksUri) {
      complain(['jwksUri'], 'is needed to check the private_key_jwt assertions')
    }
  })
export type NewClient = z.input<typeof newClient>

/** What is wrong with a registration: which field, why, how to mend it. */
export type FieldProblem = { field: string; message: string }

export type Registered =
  /** RFC 7591 §3.2.1 names. The secret is shown this once. */
  | { kind: 'created'; registration: Record<string, unknown> }
  | { kind: 'rejected'; problems: FieldProblem[] }

type Ports = {
  store: Store
  provider: Provider
  now: Now
  resources: SiteFile['resources']
  /** Who the audit trail says did it: `operator:<name>`. */
  actor: string
}

/** Registers an app, or says everything that is wrong with it and changes nothing. */
export async function addClient(ports: Ports, input: unknown): Promise<Registered> {
  const parsed = newClient.safeParse(input)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => ({
      field: path.join('.'),
      message,
    }))
    return { kind: 'rejected', problems }
  }
  const { resourceServer } = parsed.data
  if (resourceServer && !ports.resources.some(({ id }) => id === resourceServer)) {
    const known = ports.resources.map(({ id }) => id).join(', ')
    const message = `is not one of site.yaml's resources: ${known}`
    return { kind: 'rejected', problems: [{ field: 'resourceServer', message }] }
  }
  const at = seconds(ports.now)
  const metadata = toMetadata(parsed.data)
  const secret = usesSecret(metadata) ? randomToken() : undefined
  const row: ClientRow = {
    id: randomToken().slice(0, 22),
    metadata,
    ...(secret ? { secretHash: sha256(secret) } : {}),
    createdAt: at,
    updatedAt: at,
  }
  try {
    await ports.provider.Client.validate(toProviderMetadata(row))
  } catch (error) {
    if (!(error instanceof errors.OIDCProviderError)) throw error
    return {
      kind: 'rejected',
      problems: [{ field: '', message: error.error_description ?? error.message }],
    }
  }
  await ports.store.transaction(async (tables) => {
    await tables.clients.create(row)
    const details = { name: metadata.client_name, redirect_uris: metadata.redirect_uris }
    await tables.audit.record({ ...event(ports, row.id, 'client.create'), details })
  })
  return { kind: 'created', registration: { ...describe(row), ...withSecret(secret) } }
}

const event = ({ actor, now }: Pick<Ports, 'actor' | 'now'>, id: string, action: string) => ({
  at: seconds(now),
  actor,
  action,
  target: `client:${id}`,
  outcome: 'ok',
})

function toMetadata(client: z.output<typeof newClient>): Record<string, unknown> {
  const { type } = client
  const isPublic = type === 'spa' || type === 'native'
  const grants = type === 'machine' ? ['client_credentials'] : ['refresh_token']
  if (client.redirectUris.length > 0) grants.unshift('authorization_code')
  if (client.device) grants.push('urn:ietf:params:oauth:grant-type:device_code')
  const metadata: Record<string, unknown> = {
    client_name: client.name,
    application_type: type === 'native' ? 'native' : 'web',
    redirect_uris: client.redirectUris,
    post_logout_redirect_uris: client.postLogoutRedirectUris,
    response_types: client.redirectUris.length > 0 ? ['code'] : [],
    grant_types: grants,
    token_endpoint_auth_method: isPublic ? 'none' : (client.authMethod ?? 'client_secret_basic'),
    id_token_signed_response_alg: client.idTokenAlg,
    subject_type: client.pairwise ? 'pairwise' : 'public',
    require_pkce: client.pkce,
    first_party: client.firstParty,
    id_token_claims: client.idTokenClaims,
    dpop_bound_access_tokens: client.dpop,
    scope: client.scopes?.join(' '),
    client_uri: client.clientUri,
    jwks_uri: client.jwksUri,
    sector_identifier_uri: client.sectorIdentifierUri,
    backchannel_logout_uri: client.backchannelLogoutUri,
    backchannel_logout_session_required: client.backchannelLogoutUri ? true : undefined,
    resource_server: client.resourceServer,
  }
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined))
}

const usesSecret = (metadata: Record<string, unknown>) =>
  String(metadata.token_endpoint_auth_method).startsWith('client_secret_')

const withSecret = (secret: string | undefined) =>
  // 0: it does not expire (RFC 7591 §3.2.1).
  secret ? { client_secret: secret, client_secret_expires_at: 0 } : {}

/** A registration as RFC 7591 names it, without its secret. */
export function describe(row: ClientRow): Record<string, unknown> {
  return { client_id: row.id, client_id_issued_at: row.createdAt, ...row.metadata }
}

/**
 * A new secret; the old one stops working within a second in every process. Undefined for an unknown client or
 * one without a secret.
 */
export async function rotateSecret(
  ports: Omit<Ports, 'resources'>,
  id: string,
): Promise<Record<string, unknown> | undefined> {
  const { store, provider, now } = ports
  const row = await store.clients.find(id)
  if (!row || !usesSecret(row.metadata)) return undefined
  const secret = randomToken()
  const changed = await store.transaction(async (tables) => {
    if (!(await tables.clients.setSecret(id, sha256(secret), seconds(now)))) return false
    await tables.audit.record(event(ports, id, 'client.rotate-secret'))
    return true
  })
  forgetClient(provider, id)
  return changed ? { ...describe(row), ...withSecret(secret) } : undefined
}

/** Removes an app and ends everything issued to it. False if there is no such client. */
export async function removeClient(ports: Omit<Ports, 'resources'>, id: string): Promise<boolean> {
  const { store, provider } = ports
  const removed = await store.transaction(async (tables) => {
    if (!(await tables.clients.remove(id))) return false
    await tables.payloads.destroyClient(id)
    await tables.consents.forgetClient(id)
    await tables.affiliationChoices.forgetClient(id)
    await tables.audit.record(event(ports, id, 'client.remove'))
    return true
  })
  forgetClient(provider, id)
  return removed
}
