/** One pretend county as a real OpenID Provider, on the same library as the core. */
import { createHash } from 'node:crypto'
import type { RequestListener } from 'node:http'
import Provider, { type Configuration, interactionPolicy } from 'oidc-provider'
import { ownAddresses } from '#federation/own-addresses.ts'
import { day } from '#lib/time.ts'
import { countyClient, countyIssuer, type OidcCounty } from '../counties.ts'
import type { CountyPorts } from '../county-ports.ts'
import { cookieKey, signingKey } from '../memory.ts'
import { showPage } from '../pages.ts'
import { findPerson } from '../people.ts'
import { eduinfo } from './oidc/eduinfo.ts'
import { quirks } from './oidc/quirks.ts'
import { signIn } from './oidc/sign-in.ts'
import { claimsOf, vocabularies } from './oidc/vocabularies.ts'

/** Builds the provider of one county; its keys are made on the first call ever and remembered. */
export async function openOidcProvider(
  county: OidcCounty,
  ports: CountyPorts,
): Promise<RequestListener> {
  const issuer = countyIssuer(ports.sandboxPort, county.id)
  const [key, cookies] = await Promise.all([
    signingKey(ports.memory, county.id),
    cookieKey(ports.memory, county.id),
  ])
  const provider = new Provider(issuer, {
    ...behaviour(county),
    adapter: ports.adapter(county.id),
    jwks: { keys: [key] },
    cookies: cookiesOf(county, cookies),
    clients: [clientOf(county, ports)],
    interactions: {
      policy: policy(),
      url: (_ctx, interaction) => `${issuer}/interaction/${interaction.uid}`,
    },
  })
  for (const middleware of [
    ...quirks(county, provider, key, ports.switches),
    eduinfo(county, provider),
    signIn(county, provider),
  ]) {
    provider.use(middleware)
  }
  provider.on('server_error', (_ctx, error) => ports.onError(error, county.id))
  return provider.callback()
}

/** What a county does the same on every machine. */
function behaviour(county: OidcCounty): Configuration {
  const { scopes } = vocabularies[county.vocabulary]
  const { openid2 } = county
  return {
    routes: county.routes,
    scopes: ['openid', ...Object.keys(scopes)],
    claims: { openid: ['sub'], ...scopes, ...(openid2 && { openid2: [openid2.claim] }) },
    // Real counties put claims into the ID token although the code flow keeps them for userinfo.
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    subjectTypes: [county.subjects],
    pairwiseIdentifier: (_ctx, account, client) =>
      createHash('sha256').update(`${county.id}|${client.clientId}|${account}`).digest('hex'),
    pkce: { required: () => false },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: county.tellsOfSignOut === true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => showPage(ctx, 'county-sign-out', { county, form }),
        postLogoutSuccessSource: (ctx) => showPage(ctx, 'county-message', { county, kind: 'out' }),
      },
    },
    renderError: (ctx, out) =>
      showPage(ctx, 'county-message', { county, kind: 'error', ...out }, ctx.status),
    clientBasedCORS: () => false,
    // The gate of a sandbox listens on this very machine, which the library's own client refuses to call.
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined } as RequestInit),
    findAccount: (_ctx, account) => {
      const one = findPerson(county.id, account)
      if (!one) return undefined
      return {
        accountId: account,
        claims: async (use) => ({
          sub: account,
          ...claimsOf(county, one, use === 'id_token' ? 'idToken' : 'userinfo'),
        }),
      }
    },
    // A county asks nobody for consent: what the client may have was settled on paper.
    loadExistingGrant: async (ctx) => {
      const { client, session, provider } = ctx.oidc
      if (!client || !session?.accountId) return undefined
      // One grant a session: a second one would end the codes of the first, in another tab.
      const known = session.grantIdFor(client.clientId)
      const found = known ? await provider.Grant.find(known) : undefined
      const { clientId } = client
      const grant = found ?? new provider.Grant({ clientId, accountId: session.accountId })
      grant.addOIDCScope([...ctx.oidc.requestParamScopes].join(' '))
      grant.addOIDCClaims(ctx.oidc.requestParamClaims)
      await grant.save()
      return grant
    },
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      Grant: day,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: day,
      Session: 14 * day,
    },
  }
}

/** Browsers keep one cookie jar for all ports of localhost: own names and paths keep the neighbours apart. */
function cookiesOf(county: OidcCounty, key: string): Configuration['cookies'] {
  return {
    keys: [key],
    names: {
      session: `sandbox_${county.id}`,
      interaction: `sandbox_${county.id}_interaction`,
      resume: `sandbox_${county.id}_resume`,
    },
    long: { signed: true, httpOnly: true, sameSite: 'lax', path: `/${county.id}` },
    short: { signed: true, httpOnly: true, sameSite: 'lax' },
  }
}

function clientOf(county: OidcCounty, ports: CountyPorts) {
  const { clientId, clientSecret } = countyClient(county.id)
  const { logout } = ownAddresses(new URL(ports.citygate).origin, county.id)
  return {
    client_id: clientId,
    client_secret: clientSecret,
    client_name: '城門 Citygate',
    redirect_uris: [ports.citygateCallback(county.id)],
    post_logout_redirect_uris: [ports.citygate, logout],
    ...(county.tellsOfSignOut
      ? { backchannel_logout_uri: logout, backchannel_logout_session_required: true }
      : {}),
    token_endpoint_auth_method: county.onlyTokenAuth ?? ('client_secret_basic' as const),
    subject_type: county.subjects,
  }
}

function policy() {
  const prompts = interactionPolicy.base()
  prompts.remove('consent')
  return prompts
}
