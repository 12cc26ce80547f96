/** node-oidc-provider, configured: what we offer to relying parties and on which terms. */
import {
  type Account,
  type Client,
  type Configuration,
  errors,
  type KoaContextWithOIDC,
  Provider,
  type ResourceServer,
} from 'oidc-provider'
import { openSchoolYear, type SchoolYear } from '#accounts/school-year.ts'
import type { SiteFile } from '#config/schema.ts'
import { languages } from '#config/words.ts'
import { hmac } from '#lib/crypto.ts'
import type { Terms } from '#lib/terms.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { AccountRow, Store } from '#store/store.ts'
import { openAdapter } from './adapter.ts'
import { apiResource, apiResourceServer } from './api-resource.ts'
import { type Farewells, openFarewells, sayFarewellsLater } from './backchannel.ts'
import { accountClaims, scopeClaims } from './claims.ts'
import {
  type CitygateClientMetadata,
  extraClientMetadata,
  grantedScopes,
  keptScopes,
  secretMatches,
  toProviderMetadata,
} from './clients.ts'
import { openCookieKeys } from './cookie-keys.ts'
import { loadGrant } from './grants.ts'
import { admitStandIns } from './inside.ts'
import type { Keys } from './keys.ts'
import { type OurAccount, openPolicy } from './policy.ts'
import {
  hideSecretDigests,
  type Registry,
  registeredClients,
  registrationFeatures,
  registrationTokens,
} from './registration.ts'
import { rememberClients } from './remembered-clients.ts'
import { sessionSeconds, tellSessionsApart } from './session-life.ts'
import { throttleClients, type WaitOf } from './throttle.ts'
import { letStaffTry } from './try-run.ts'
import { findAccount } from './unit.ts'
import { rememberUpstreams } from './upstream-session.ts'
import { forgetUnasked, mayRefresh } from './withdrawals.ts'

declare module 'oidc-provider' {
  // Our own settings, on every client the provider builds.
  interface Client extends CitygateClientMetadata {
    backchannelLogout(accountId: string, sid?: string): Promise<void>
  }
}

/** Pages the provider needs a person to see. Each sets the context's body. */
export type ProviderPages = {
  problem(ctx: KoaContextWithOIDC, error: { error: string }, cause: Error): Promise<void>
  signOut(ctx: KoaContextWithOIDC, xsrf: string): Promise<void>
  signedOut(ctx: KoaContextWithOIDC): Promise<void>
  deviceCode(ctx: KoaContextWithOIDC, xsrf: string, problem?: string): Promise<void>
  deviceConfirm(ctx: KoaContextWithOIDC, xsrf: string, userCode: string): Promise<void>
  deviceDone(ctx: KoaContextWithOIDC): Promise<void>
}

export type ProviderPorts = {
  store: Store
  keys: Keys
  now: Now
  fetch: typeof fetch
  pages: ProviderPages
  terms: Pick<Terms, 'inForce'>
  /** What tokens for our own API may be good for; nothing, if not said. */
  apiScopes?: readonly string[]
  /** Who asks too much; nobody, if not said. */
  waitOf?: WaitOf
  /** Keeps programs that register themselves; none do, if not said. */
  registry?: Registry | undefined
}

/** Cookie names, with the strongest prefix their path allows (RFC 6265bis §4.1.3). */
export function cookieNames(issuer: string) {
  const { protocol, port } = new URL(issuer)
  const secure = protocol === 'https:'
  // Cookies ignore ports: two copies on one machine must not overwrite each other's.
  const name = secure ? 'citygate' : `citygate_${port}`
  const rooted = (suffix: string) => `${secure ? '__Host-' : ''}${name}${suffix}`
  const elsewhere = (suffix: string) => `${secure ? '__Secure-' : ''}${name}${suffix}`
  return {
    session: rooted(''),
    interaction: elsewhere('_interaction'),
    resume: elsewhere('_resume'),
    device: rooted('_device'),
    known: rooted('_known'),
    signOut: rooted('_sign_out'),
    county: rooted('_county'),
    joining: rooted('_joining'),
    console: rooted('_console'),
    language: rooted('_language'),
  }
}

/** Builds the provider with the signing keys of this moment. Does no I/O. */
export function openProvider(issuer: string, site: SiteFile, ports: ProviderPorts): Provider {
  const farewells = openFarewells(ports.store, ports.now)
  const provider = new Provider(
    issuer,
    configure(issuer, site, ports, farewells, () => provider),
  )
  // Host and X-Forwarded-* say nothing about who we are: every address comes from configuration.
  trustIssuerOnly(provider.request, issuer)
  rememberClients(provider)
  forgetUnasked(provider)
  if (ports.waitOf) throttleClients(provider, ports.waitOf)
  sayFarewellsLater(provider, farewells)
  tellSessionsApart(provider)
  rememberUpstreams(provider)
  if (ports.registry) hideSecretDigests(provider)
  admitStandIns(provider)
  letStaffTry(provider, { issuer, key: ports.keys.form, now: ports.now })
  provider.Client.prototype.compareClientSecret = function (presented: string) {
    return secretMatches(this.clientSecret, presented, seconds(ports.now))
  }
  return provider
}

/** The origin of a web address; an app's private scheme has none (`null` is every sandboxed frame's). */
export function webOrigin(uri: string): string | undefined {
  const origin = URL.parse(uri)?.origin
  return origin === 'null' ? undefined : origin
}

/** Makes a Koa request's protocol, host and origin the issuer's. */
export function trustIssuerOnly(request: object, issuer: string): void {
  const { protocol, host, hostname, origin } = new URL(issuer)
  const fixed = { protocol: protocol.slice(0, -1), host, hostname, origin }
  for (const [name, value] of Object.entries(fixed)) {
    Object.defineProperty(request, name, { configurable: true, get: () => value })
  }
  Object.defineProperty(request, 'href', {
    configurable: true,
    get(this: { originalUrl: string }) {
      return `${origin}${this.originalUrl}`
    },
  })
}

function configure(
  issuer: string,
  site: SiteFile,
  { store, keys, now, fetch, pages, terms, apiScopes = [], registry }: ProviderPorts,
  { payloads }: Farewells,
  provider: () => Provider,
): Configuration {
  const { lifetimes, session } = site
  const year = openSchoolYear(site.affiliations.school_year_begins, now)
  const policy = openPolicy(store, {
    year,
    agreements: { terms, ids: site.agreements },
    secondFactor: { acr: site.acr.two_factor, issuer },
    now,
  })
  const requestable = policy.filter((prompt) => prompt.requestable).map(({ name }) => name)
  const names = cookieNames(issuer)
  const secure = issuer.startsWith('https:')
  const resources = new Map(site.resources.map((resource) => [resource.id, resource]))
  const adapterPorts = {
    now,
    dataKey: keys.data,
    ...(registry
      ? {
          elsewhere: registrationTokens(registry),
          writeClients: registeredClients(registry, provider),
        }
      : {}),
  }
  /** An API's own number is the most its tokens live. */
  const accessSeconds = (token: { resourceServer?: ResourceServer }, client: Client): number => {
    const own = client.access_token_seconds ?? lifetimes.access_token_seconds
    const most = token.resourceServer?.accessTokenTTL
    if (most === undefined) return own
    return client.access_token_seconds === undefined ? most : Math.min(most, own)
  }

  return {
    adapter: openAdapter({ payloads }, adapterPorts, async (id) => {
      const row = await store.clients.find(id)
      return row && toProviderMetadata(row)
    }),
    clients: [accountPageClient(issuer), consoleClient(issuer)],
    jwks: { keys: keys.signing },
    fetch: (url, options) => fetch(url, options),
    findAccount: async (ctx, id) => {
      const row = await findAccount(store, id)
      // Suspended or closed: every session, code and token of theirs stops working at once.
      return row?.status === 'active' ? toAccount(store, keys, row, year, ctx) : undefined
    },
    claims: scopeClaims,
    scopes: ['openid', 'offline_access', ...Object.keys(scopeClaims).filter((s) => s !== 'openid')],
    // The ID token's claims are chosen in toAccount, per client: see there.
    conformIdTokenClaims: false,
    acrValues: Object.values(site.acr),
    discovery: {
      ui_locales_supported: [...languages],
      prompt_values_supported: ['none', ...requestable],
    },
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: async (_ctx, accountId, client) => pairwiseSubject(keys, accountId, client),
    responseTypes: ['code', 'none'],
    // OpenID Connect Core §3.1.2.1: redirect_uri is REQUIRED, also where only one is registered.
    allowOmittingSingleRegisteredRedirectUri: false,
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    // HMAC algorithms would need the client secret in the clear; we keep its digest only.
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256', 'ES256'],
      userinfoSigningAlgValues: ['RS256', 'ES256'],
      clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      dPoPSigningAlgValues: ['ES256', 'EdDSA', 'RS256', 'PS256'],
    },
    extraClientMetadata: { properties: [...extraClientMetadata] },
    clientBasedCORS: (_ctx, origin, client) =>
      (client.redirectUris ?? []).some((uri) => webOrigin(uri) === origin),
    pkce: {
      required: (_ctx, client) =>
        client.clientAuthMethod === 'none' || client.require_pkce !== false,
    },
    extraParams: ['upstream'],
    rotateRefreshToken({ oidc: { client, entities } }) {
      const { RefreshToken: token } = entities
      if (!client || !token || !mayRefresh(client, token)) {
        throw new errors.InvalidGrant('the client may not refresh it any more')
      }
      return true
    },
    // Without offline_access the token ends with the session, so it may be had without asking for more.
    issueRefreshToken: async (_ctx, client, source) => mayRefresh(client, source),
    expiresWithSession: async (_ctx, token) => !token.scopes.has('offline_access'),
    loadExistingGrant: (ctx) => loadGrant(provider(), store, ctx),
    interactions: {
      policy,
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    renderError: (ctx, out, error) => pages.problem(ctx, out, error),
    cookies: {
      names,
      keys: openCookieKeys(() => keys.cookie),
      long: { httpOnly: true, sameSite: 'lax', signed: true, secure, path: '/' },
      short: { httpOnly: true, sameSite: 'lax', signed: true, secure },
    },
    ttl: {
      AccessToken: (_ctx, token, client) => accessSeconds(token, client),
      AuthorizationCode: 60,
      ClientCredentials: (_ctx, token, client) => accessSeconds(token, client),
      DeviceCode: lifetimes.device_code_seconds,
      // Refresh tokens are renewed, the grant they stand on is not: it lives as long as it may be used.
      Grant: lifetimes.grant_seconds,
      IdToken: (_ctx, _token, client) => client.id_token_seconds ?? lifetimes.id_token_seconds,
      Interaction: lifetimes.interaction_seconds,
      RefreshToken: (_ctx, _token, client) =>
        client.refresh_token_seconds ?? lifetimes.refresh_token_seconds,
      Session: (_ctx, one) => sessionSeconds(session, one, seconds(now)),
    },
    features: {
      ...(registry ? registrationFeatures(registry) : {}),
      devInteractions: { enabled: false },
      userinfo: { enabled: true },
      claimsParameter: { enabled: true },
      clientCredentials: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      introspection: {
        enabled: true,
        // One's own tokens, and those made for the API one serves. All others look inactive.
        async allowedPolicy(_ctx, client, token) {
          const own = token.clientId === client.clientId
          const served =
            'aud' in token && token.aud !== undefined && token.aud === client.resource_server
          if (!own && !served) return false
          // Its app was disabled or removed: what it was issued is worth nothing any more.
          if (!own && !(await provider().Client.find(String(token.clientId)))) return false
          const accountId = 'accountId' in token ? token.accountId : undefined
          return !accountId || (await findAccount(store, accountId))?.status === 'active'
        },
      },
      pushedAuthorizationRequests: { enabled: true },
      dPoP: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx) => pages.signOut(ctx, xsrfOf(ctx)),
        postLogoutSuccessSource: (ctx) => pages.signedOut(ctx),
      },
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '****-****',
        deviceInfo: (ctx) => ({ ip: ctx.state?.source, ua: ctx.get('user-agent') }),
        userCodeInputSource: (ctx, _form, out, error) =>
          pages.deviceCode(ctx, xsrfOf(ctx), error?.name ?? out?.error),
        userCodeConfirmSource: (ctx, _form, _client, _device, userCode) =>
          pages.deviceConfirm(ctx, xsrfOf(ctx), userCode),
        successSource: (ctx) => pages.deviceDone(ctx),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => [],
        useGrantedResource: async () => true,
        getResourceServerInfo: async (ctx, id, client): Promise<ResourceServer> => {
          if (id === apiResource(issuer)) {
            return apiResourceServer(issuer, apiScopes, client, ctx.oidc.route)
          }
          const resource = resources.get(id)
          const offered = resource?.scopes.map(({ scope }) => scope) ?? []
          const allowed = grantedScopes(client, offered)
          if (!resource || allowed.length === 0) throw new errors.InvalidTarget()
          return {
            scope: allowed.join(' '),
            audience: id,
            accessTokenFormat: 'jwt',
            accessTokenTTL: resource.access_token_seconds,
            jwt: { sign: { alg: resource.signing_alg } },
          } as ResourceServer
        },
      },
    },
  }
}

/** The member's own page signs in like any app; `response_type=none` leaves a session and nothing else. */
export const accountPageClientId = 'citygate'

/** Each page of hers she may be sent back to. */
export const accountPages = [
  '/account',
  '/account/profile',
  '/account/password',
  '/account/email',
  '/account/identities',
  '/account/merge',
  '/account/merge/confirm',
  '/account/second-factor',
  '/account/second-factor/app',
  '/account/sessions',
  '/account/apps',
  '/account/clients',
  '/account/clients/ask',
  '/account/clients/app',
  '/account/history',
  '/account/export',
  '/account/close',
] as const
export type AccountPage = (typeof accountPages)[number]

function accountPageClient(issuer: string) {
  return {
    client_id: accountPageClientId,
    client_name: 'Citygate',
    redirect_uris: accountPages.map((page) => `${issuer}${page}`),
    post_logout_redirect_uris: [`${issuer}/`],
    response_types: ['none' as const],
    grant_types: [],
    token_endpoint_auth_method: 'none' as const,
    first_party: true,
  }
}

/** The staff console is an app of our own like the member's page, and wants the second factor. */
export const consoleClientId = 'citygate-console'

/** Our own pages sign people in like apps, but are none that anybody registered. */
export const ownClientIds: ReadonlySet<string> = new Set([accountPageClientId, consoleClientId])

function consoleClient(issuer: string) {
  return {
    client_id: consoleClientId,
    client_name: 'Citygate',
    redirect_uris: [`${issuer}/admin/signed-in`, `${issuer}/admin/invited`],
    post_logout_redirect_uris: [`${issuer}/`],
    response_types: ['none' as const],
    grant_types: [],
    token_endpoint_auth_method: 'none' as const,
    first_party: true,
  }
}

const xsrfOf = (ctx: KoaContextWithOIDC): string => String(ctx.oidc.session?.state?.secret ?? '')

/** The `sub` a client knows an account by (OpenID Connect Core §8.1). */
export function subjectFor(keys: Keys, accountId: string, client: Client): string {
  return client.subjectType === 'pairwise' ? pairwiseSubject(keys, accountId, client) : accountId
}

const pairwiseSubject = (keys: Keys, accountId: string, client: Client) =>
  hmac(keys.pairwiseSalt, `${client.sectorIdentifier}\n${accountId}`)

/** Where a registration says which claims it may ask for one by one, those of its scopes are among them. */
function mayAskFor({ scope = '', single_claims: single }: Client, claim: string): boolean {
  if (!single || single.includes(claim)) return true
  const scopes = scope.split(' ')
  return Object.entries(scopeClaims).some(
    ([name, claims]: [string, string[]]) => scopes.includes(name) && claims.includes(claim),
  )
}

function toAccount(
  store: Store,
  keys: Keys,
  row: AccountRow,
  year: SchoolYear,
  ctx: KoaContextWithOIDC,
): Account {
  return {
    accountId: row.id,
    ...({ agreed: row.agreed } satisfies OurAccount),
    async claims(use, scope, requested) {
      const { client, entities } = ctx.oidc
      if (!client) return { sub: row.id }
      const scopes = new Set(keptScopes(client, scope.split(' ')))
      const byScope = (claim: string) =>
        Object.entries(scopeClaims).some(([name, list]) => scopes.has(name) && list.includes(claim))
      // OpenID Connect Core §5.4: with an access token for userinfo the ID token carries `sub` and what the
      // claims parameter asked for. All of it only where userinfo cannot be asked, or for an old client.
      const all =
        use === 'userinfo' || client.id_token_claims === true || Boolean(entities.AccessToken?.aud)
      const wants = (claim: string) =>
        (claim in requested && mayAskFor(client, claim)) || (all && byScope(claim))
      const sub = subjectFor(keys, row.id, client)
      const claims = await accountClaims(store, row, {
        sub,
        clientId: client.clientId,
        wants,
        year,
      })
      return {
        ...Object.fromEntries(Object.entries(claims).filter(([claim]) => wants(claim))),
        // node-oidc-provider makes this one pairwise itself.
        sub: row.id,
      }
    },
  }
}
