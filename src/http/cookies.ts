/** Cookies of our own. Those that outlive the session: the browser's name, its language, its last county. */
import type { Context } from './context.ts'

const year = 365 * 24 * 60 * 60 * 1000

/** Goes with the browser's window. */
export const passCookie = (ctx: Context, name: string, value: string): void =>
  void ctx.cookies.set(name, value, {
    httpOnly: true,
    sameSite: 'lax',
    path: '/',
    signed: false,
    secure: ctx.secure,
  })

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
