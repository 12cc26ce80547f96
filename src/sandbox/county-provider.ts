/** One pretend county as a real OpenID Provider, on the same library as the core. */
import { createHash } from 'node:crypto'
import Provider, { type AdapterFactory, type Configuration, interactionPolicy } from 'oidc-provider'
import { type County, countyClient, countyIssuer } from './counties.ts'
import { quirks } from './county-quirks.ts'
import { eduinfo } from './eduinfo.ts'
import { cookieKey, type SandboxMemory, signingKey } from './memory.ts'
import { showPage } from './pages.ts'
import { findPerson } from './people.ts'
import { signIn } from './sign-in.ts'
import type { Switches } from './switches.ts'
import { claimsOf, vocabularies } from './vocabularies.ts'

/** What a county is lent. */
export type CountyPorts = {
  sandboxPort: number
  adapter: (county: string) => AdapterFactory
  memory: SandboxMemory
  switches: Switches
  /** Our redirect_uri at that county. */
  citygateCallback: (county: string) => string
  /** Where a sign-out at the county may lead back to. */
  citygate: string
}

const day = 24 * 60 * 60

/** Builds the provider of one county; its keys are made on the first call ever and remembered. */
export async function openCountyProvider(county: County, ports: CountyPorts): Promise<Provider> {
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
  return provider
}

/** What a county does the same on every machine. */
function behaviour(county: County): Configuration {
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
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => showPage(ctx, 'county-sign-out', { county, form }),
        postLogoutSuccessSource: (ctx) => showPage(ctx, 'county-message', { county, kind: 'out' }),
      },
    },
    renderError: (ctx, out) =>
      showPage(ctx, 'county-message', { county, kind: 'error', ...out }, ctx.status),
    clientBasedCORS: () => false,
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
function cookiesOf(county: County, key: string): Configuration['cookies'] {
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

function clientOf(county: County, ports: CountyPorts) {
  const { clientId, clientSecret } = countyClient(county.id)
  return {
    client_id: clientId,
    client_secret: clientSecret,
    client_name: '城門 Citygate',
    redirect_uris: [ports.citygateCallback(county.id)],
    post_logout_redirect_uris: [ports.citygate],
    token_endpoint_auth_method: county.onlyTokenAuth ?? ('client_secret_basic' as const),
    subject_type: county.subjects,
  }
}

function policy() {
  const prompts = interactionPolicy.base()
  prompts.remove('consent')
  return prompts
}
