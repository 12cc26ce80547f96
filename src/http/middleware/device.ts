/** Knows a browser again by a cookie of its own: interactions, trips and forms belong to one browser. */
import { randomToken, sha256 } from '#lib/crypto.ts'
import type { Context, Next } from '../context.ts'
import { keepCookie } from '../cookies.ts'

export function device(name: string) {
  return async (ctx: Context, next: Next) => {
    const known = ctx.cookies.get(name, { signed: true })
    const value = known ?? randomToken()
    ctx.state.device = sha256(value)
    ctx.state.deviceKnown = known !== undefined
    // Another site's form comes without our cookies (SameSite=Lax): the browser's own one must not be overwritten.
    if (!known && ctx.method !== 'POST') keepCookie(ctx, name, value, true)
    await next()
  }
}
