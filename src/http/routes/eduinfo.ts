/** The Ministry's bearer resource `eduinfo`, v1 and v2, for relying parties that call it beside userinfo. */
import type Router from '@koa/router'
import { affiliationsToward } from '#accounts/affiliations.ts'
import { findBearer } from '#oidc/bearer.ts'
import { type EduinfoVersion, eduinfo } from '#oidc/eduinfo.ts'
import { webOrigin } from '#oidc/provider.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { readBearer } from '../input.ts'

export function eduinfoRoutes(
  router: Router<State>,
  { provider, store, keys, schoolYear }: House,
): void {
  const refuse = (ctx: Context, status: number, error?: string) => {
    const scope = error === 'insufficient_scope' ? ', scope="eduinfo"' : ''
    ctx.status = status
    ctx.set(
      'WWW-Authenticate',
      `Bearer realm="eduinfo"${error ? `, error="${error}"${scope}` : ''}`,
    )
    ctx.body = error ? { error } : { error: 'invalid_request' }
    // Any page may learn that its token was refused; what a token opens is for registered origins only.
    share(ctx, ctx.get('origin') || undefined)
  }

  const share = (ctx: Context, origin: string | undefined) => {
    ctx.vary('Origin')
    if (!origin) return
    ctx.set('Access-Control-Allow-Origin', origin)
    ctx.set('Access-Control-Expose-Headers', 'WWW-Authenticate')
  }

  for (const version of ['v1', 'v2'] satisfies EduinfoVersion[]) {
    const path = `/eduinfo/${version}`

    router.options(`${path} preflight`, path, (ctx) => {
      share(ctx, ctx.get('origin') || undefined)
      ctx.set({
        'Access-Control-Allow-Headers': 'Authorization',
        'Access-Control-Allow-Methods': 'GET',
        'Access-Control-Max-Age': '600',
      })
      ctx.status = 204
    })

    router.get(path, path, async (ctx) => {
      const token = readBearer(ctx)
      if (!token) return refuse(ctx, 401)
      const bearer = await findBearer(provider, store, keys, token, 'eduinfo')
      if (bearer.kind === 'refused') {
        return refuse(ctx, bearer.error === 'invalid_token' ? 401 : 403, bearer.error)
      }
      const { sub, account, clientId, redirectUris } = bearer
      const origin = ctx.get('origin')
      const registered = redirectUris.some((uri) => webOrigin(uri) === origin)
      share(ctx, registered ? origin : undefined)
      const affiliations = await affiliationsToward(store, account.id, clientId, schoolYear)
      ctx.body = eduinfo(sub, affiliations, version)
    })
  }
}
