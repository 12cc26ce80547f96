/** Our Koa app: what every request passes through, as a table. */
import Router from '@koa/router'
import Koa from 'koa'
import compose from 'koa-compose'
import { operations } from '#admin/operations.ts'
import { streams } from '#admin/streams.ts'
import { trustIssuerOnly } from '#oidc/provider.ts'
import { apiPaths } from './api/problem.ts'
import type { Context, Next, State } from './context.ts'
import type { House } from './house.ts'
import { cacheable } from './middleware/cacheable.ts'
import { device } from './middleware/device.ts'
import { errors, machines } from './middleware/errors.ts'
import { formPost } from './middleware/form-post.ts'
import { appHeaders, pageHeaders } from './middleware/headers.ts'
import { host } from './middleware/host.ts'
import { language } from './middleware/language.ts'
import { limit, limitRequests, limitUserCodes } from './middleware/limits.ts'
import { patience } from './middleware/patience.ts'
import { reference } from './middleware/reference.ts'
import { source } from './middleware/source.ts'
import { unit } from './middleware/unit.ts'
import { listen } from './provider-events.ts'
import { accountRoutes } from './routes/account.ts'
import { adminRoutes } from './routes/admin.ts'
import { openApi } from './routes/api.ts'
import { appLogoRoutes } from './routes/app-logos.ts'
import { eduinfoRoutes } from './routes/eduinfo.ts'
import { formRequestRoutes } from './routes/form-requests.ts'
import { health } from './routes/health.ts'
import { interactionRoutes } from './routes/interaction.ts'
import { invitationRoutes } from './routes/invitation.ts'
import { joiningRoutes } from './routes/joining.ts'
import { linkOfferRoutes } from './routes/link-offer.ts'
import { resendRoutes } from './routes/resend.ts'
import { resetRoutes } from './routes/reset.ts'
import { siteRoutes } from './routes/site.ts'
import { statusRoutes } from './routes/status.ts'
import { upstreamRoutes } from './routes/upstream.ts'
import { upstreamLogoutRoutes } from './routes/upstream-logout.ts'
import { upstreamMetadataRoutes } from './routes/upstream-metadata.ts'
import { upstreamPasswordRoutes } from './routes/upstream-password.ts'
import { xrdsRoutes } from './routes/xrds.ts'

/** Paths where people come: only there a browser gets our cookies. */
const pages =
  /^\/($|auth\b|interaction\/|upstream\/|account\b|admin(\/|$)|device\b|session\/|join(\/|$)|joining\/|reset(\/|$)|resend(\/|$))/

/** Say the same to everybody: our public keys and what we offer. */
const documents = [
  '/jwks',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
]

/** Programs that register themselves, or look after their registration, from one address. */
const registrations = { endpoint: 'registration', points: 120, seconds: 60 * 60 }

type Middleware = (ctx: Context, next: Next) => Promise<unknown>

export function openHttp(house: House): Koa<State> {
  const { config, provider, log, answer, cookies, limits, clientLimits } = house
  const secure = config.issuer.startsWith('https:')
  const app = new Koa<State>()
  app.keys = provider.keys
  trustIssuerOnly(app.request, config.issuer)
  app.on('error', (error) => log.error({ err: error }, 'unhandled'))

  listen(house)

  const router = openRouter(house)
  const each = [
    health(house.health),
    reference(house),
    source(config.trustedProxies),
    patience(),
    byReader(appHeaders(secure), pageHeaders(secure)),
    errors(answer),
    host(config.issuer),
    unit(house),
  ]
  // Apps ask thousands of times a second what no person reads: nothing of our pages stands in their way.
  const forApps = [
    only(/^\/(token(\/.*)?|request|device\/auth)$/, clientLimits.middleware),
    only(/^\/request$/, limitRequests(limits)),
    only(/^\/reg(\/|$)/, limit(limits, registrations)),
    only(apiPaths, openApi(house, operations, streams)),
    plainEmptyBody,
    cacheable(documents, config.site.keys.jwks_max_age_seconds),
    providerOfTheMoment(house),
  ]
  const forPeople = [
    language(cookies.language),
    only(pages, device(cookies.device)),
    only(/^\/auth$/, limitRequests(limits)),
    only(/^\/device$/, limitUserCodes(limits)),
    formPost(house),
    router.routes(),
    router.allowedMethods(),
    providerOfTheMoment(house),
  ]
  const all = [...each, byReader(inTurn(forApps), inTurn(forPeople))]
  for (const middleware of all) app.use(middleware as Koa.Middleware<State>)
  return app
}

/** Every page, form and small resource of ours that people or their browsers open. */
export function openRouter(house: House): Router<State> {
  const router = new Router<State>({ sensitive: true, strict: true })
  xrdsRoutes(router, house)
  siteRoutes(router, house)
  statusRoutes(router, house)
  resetRoutes(router, house)
  interactionRoutes(router, house)
  linkOfferRoutes(router, house)
  upstreamRoutes(router, house)
  upstreamPasswordRoutes(router, house)
  upstreamLogoutRoutes(router, house)
  upstreamMetadataRoutes(router, house)
  joiningRoutes(router, house)
  resendRoutes(router, house)
  accountRoutes(router, house)
  invitationRoutes(router, house)
  adminRoutes(router, house)
  appLogoRoutes(router, house)
  eduinfoRoutes(router, house)
  formRequestRoutes(router, house)
  return router
}

/** An empty answer has no type: a client that checks it would stumble over `text/plain` (RFC 7009 §2.2). */
async function plainEmptyBody(ctx: Context, next: Next) {
  await next()
  if (ctx.body === '') ctx.remove('Content-Type')
}

/** Asks the house at each request: other signing keys are another provider. */
function providerOfTheMoment(house: House) {
  let known: House['provider'] | undefined
  let run: Koa.Middleware<State> | undefined
  return (ctx: Context, next: Next) => {
    const { provider } = house
    if (provider !== known || !run) {
      known = provider
      run = compose(provider.middleware as Koa.Middleware<State>[])
    }
    return run(ctx, next as Koa.Next)
  }
}

const inTurn = (list: unknown[]) =>
  compose(list as Koa.Middleware<State>[]) as unknown as Middleware

/** Chooses by who reads the answer: an app, or a person. */
function byReader(forApps: Middleware, forPeople: Middleware): Middleware {
  return (ctx, next) => (machines.test(ctx.path) ? forApps(ctx, next) : forPeople(ctx, next))
}

/** Runs the middleware on matching paths only. */
function only(paths: RegExp, middleware: Middleware): Middleware {
  return (ctx, next) => (paths.test(ctx.path) ? middleware(ctx, next) : next())
}
