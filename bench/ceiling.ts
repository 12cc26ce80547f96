/**
 * The ceiling: node-oidc-provider and nothing of ours. Storage is a Map (clients in it too, as ours are in the
 * database), keys are of our sizes, the features are those the workloads need, and a sign-in has as many
 * requests as ours: authorize, our page, the county's callback, resume, token.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import Provider, {
  type AdapterPayload,
  type JWK,
  type KoaContextWithOIDC,
  type ResourceServer,
} from 'oidc-provider'
import { answerCalls } from './ipc.ts'
import { openMapAdapter } from './map-adapter.ts'
import { people, redirectUri, resourceScope, resources, type Site } from './site.ts'

const port = Number(process.env.PORT)
const issuer = `http://127.0.0.1:${port}`
const signing: JWK[] = JSON.parse(process.env.BENCH_JWKS ?? '[]')
const app = { clientId: 'app', clientSecret: 'b'.repeat(43) }
const machine = { clientId: 'machine', clientSecret: 'm'.repeat(43) }

const clients: AdapterPayload[] = [
  {
    client_id: app.clientId,
    client_secret: app.clientSecret,
    redirect_uris: [redirectUri],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
  },
  {
    client_id: machine.clientId,
    client_secret: machine.clientSecret,
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
  },
]

const algorithms = new Map<string, string>(Object.entries(resources).map(([alg, id]) => [id, alg]))

const provider = new Provider(issuer, {
  adapter: openMapAdapter(clients),
  jwks: { keys: signing },
  // An array of keys, as the documentation has it: Keygrip signs.
  cookies: { keys: ['a cookie key of the ceiling, as long as ours are'] },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, name: `測試${id}`, preferred_username: id }),
  }),
  claims: { openid: ['sub', 'acr', 'amr', 'auth_time'], profile: ['name', 'preferred_username'] },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  loadExistingGrant: loadGrant,
  interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
  ttl: {
    AccessToken: 3600,
    AuthorizationCode: 60,
    ClientCredentials: 3600,
    Grant: 14 * 86_400,
    IdToken: 3600,
    Interaction: 3600,
    RefreshToken: 14 * 86_400,
    Session: 43_200,
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => [],
      useGrantedResource: async () => true,
      getResourceServerInfo: async (_ctx, id): Promise<ResourceServer> =>
        ({
          scope: resourceScope,
          audience: id,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: algorithms.get(id) } },
        }) as ResourceServer,
    },
  },
})

/** One of our own apps: what it asks for is granted, and the session's grant serves again. */
async function loadGrant({ oidc }: KoaContextWithOIDC) {
  const { client, account, session } = oidc
  if (!client || !account || !session) return undefined
  const known = session.grantIdFor(client.clientId)
  if (known) return provider.Grant.find(known)
  const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId })
  grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(' '))
  await grant.save()
  return grant
}

let arrivals = 0

provider.use(async (ctx, next) => {
  const [, uid, back] = /^\/interaction\/([^/]+)(\/callback)?$/.exec(ctx.path) ?? []
  if (!uid) return next()
  ctx.status = 303
  if (!back) {
    await provider.interactionDetails(ctx.req, ctx.res)
    return ctx.redirect(`/interaction/${uid}/callback?state=${uid}&code=upstream`)
  }
  arrivals += 1
  const login = {
    accountId: `person${arrivals % people}`,
    acr: 'bench',
    amr: ['fed'],
    remember: false,
  }
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { login, consent: {} }))
})

const server = createServer(provider.callback()).listen(port, '127.0.0.1')

answerCalls({
  async open(): Promise<Site> {
    if (!server.listening) await once(server, 'listening')
    return { origin: issuer, issuer, app, machine }
  },
  statements: () => undefined,
  stop: () => setImmediate(() => process.exit(0)),
})
