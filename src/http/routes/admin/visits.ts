/** When somebody last did something at the console: said by a cookie nobody can make, so that no request has to ask. */
import { equalInConstantTime, hmac } from '#lib/crypto.ts'
import { seconds } from '#lib/time.ts'
import type { Context } from '../../context.ts'
import { passCookie } from '../../cookies.ts'
import type { House } from '../../house.ts'

export type Visit = { accountId: string; at: number }

export function openVisits({ cookies, keys, now }: Pick<House, 'cookies' | 'keys' | 'now'>) {
  const markOf = (ctx: Context, accountId: string, at: string) =>
    hmac(keys.form, JSON.stringify(['console visit', ctx.state.device, accountId, at]))

  return {
    /** Whoever was here last in this browser. */
    last(ctx: Context): Visit | undefined {
      const cookie = ctx.cookies.get(cookies.console, { signed: false }) ?? ''
      const [accountId = '', at = '', mark = ''] = cookie.split('.')
      if (!equalInConstantTime(mark, markOf(ctx, accountId, at))) return undefined
      return { accountId, at: Number(at) }
    },
    note(ctx: Context, accountId: string): void {
      const at = String(seconds(now))
      passCookie(ctx, cookies.console, `${accountId}.${at}.${markOf(ctx, accountId, at)}`)
    },
  }
}
