/** Knows a browser again by a cookie of its own: interactions, trips and forms belong to one browser. */
import { randomToken, sha256 } from '#lib/crypto.ts'
import type { Context, Next } from '../context.ts'

const year = 365 * 24 * 60 * 60 * 1000

export function device({ name, secure }: { name: string; secure: boolean }) {
  return async (ctx: Context, next: Next) => {
    const known = ctx.cookies.get(name, { signed: true })
    const value = known ?? randomToken()
    ctx.state.device = sha256(value)
    ctx.state.deviceKnown = known !== undefined
    if (!known) {
      const options = { httpOnly: true, sameSite: 'lax', signed: true, secure, path: '/' } as const
      ctx.cookies.set(name, value, { ...options, maxAge: year })
    }
    await next()
  }
}
