/** Documents that say the same to everybody may be kept for a while; everything else is `no-store`. */
import type { Context, Next } from '../context.ts'

export function cacheable(paths: string[], maxAge: number) {
  return async (ctx: Context, next: Next) => {
    await next()
    if (ctx.status === 200 && paths.includes(ctx.path)) {
      ctx.set('Cache-Control', `public, max-age=${maxAge}`)
    }
  }
}
