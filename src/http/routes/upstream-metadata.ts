/** What an upstream must know of us: a SAML service provider's metadata. */
import type Router from '@koa/router'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { Problem } from '../problem.ts'

export function upstreamMetadataRoutes(router: Router<State>, { trips }: House): void {
  router.get('upstream.metadata', '/upstream/:connector/metadata', async (ctx: Context) => {
    // It reads them before it opens.
    const connector = trips.opened.get(ctx.params.connector ?? '')
    const metadata = await connector?.ownMetadata?.()
    if (metadata === undefined) throw new Problem(404, 'not-found')
    ctx.type = 'application/samlmetadata+xml'
    ctx.body = metadata
  })
}
