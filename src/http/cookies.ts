/** Cookies of our own that outlive the session: the browser's name, its language, its last county. */
import type { Context } from './context.ts'

const year = 365 * 24 * 60 * 60 * 1000

/** `signed` where a value of somebody else's making must not count. */
export function keepCookie(ctx: Context, name: string, value: string, signed = false): void {
  ctx.cookies.set(name, value, {
    httpOnly: true,
    sameSite: 'lax',
    path: '/',
    signed,
    // The issuer's scheme, whatever stands between us and the browser.
    secure: ctx.secure,
    maxAge: year,
  })
}
