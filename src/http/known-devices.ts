/**
 * Which names signed in with their password in this browser before: they cannot be locked out of it by guesses made
 * elsewhere. The cookie holds an HMAC of the browser and each name, so it says nothing, fits no other browser, and
 * nobody can make one.
 */
import { equalInConstantTime, hmac } from '#lib/crypto.ts'
import type { Context } from './context.ts'
import { keepCookie } from './cookies.ts'

/** On a shared computer the newest ones stay. */
const most = 8

export type KnownDevices = {
  /** The browser, if this name signed in here before. */
  find(ctx: Context, name: string): string | undefined
  remember(ctx: Context, name: string): void
}

export function openKnownDevices(cookie: string, key: Buffer): KnownDevices {
  const markOf = (ctx: Context, name: string) => hmac(key, JSON.stringify([ctx.state.device, name]))
  const marks = (ctx: Context) => (ctx.cookies.get(cookie, { signed: false }) ?? '').split('.')
  return {
    find(ctx, name) {
      const mark = markOf(ctx, name)
      return marks(ctx).some((one) => equalInConstantTime(one, mark)) ? ctx.state.device : undefined
    },
    remember(ctx, name) {
      const mark = markOf(ctx, name)
      const others = marks(ctx).filter((one) => one && one !== mark)
      keepCookie(ctx, cookie, [mark, ...others].slice(0, most).join('.'))
    },
  }
}
