/** Chooses the page's language, and remembers it when the person asked for it with `?lang=`. */
import { type Language, languages } from '#config/schema.ts'
import { chooseLanguage } from '#lib/messages.ts'
import type { Context, Next } from '../context.ts'

const year = 365 * 24 * 60 * 60 * 1000

export function language({ name, secure }: { name: string; secure: boolean }) {
  return async (ctx: Context, next: Next) => {
    const query = new URLSearchParams(ctx.querystring)
    const asked = query.get('lang') ?? undefined
    ctx.state.language = chooseLanguage(
      {
        query: asked,
        cookie: ctx.cookies.get(name, { signed: false }),
        uiLocales: query.get('ui_locales') ?? undefined,
        acceptLanguage: ctx.get('accept-language'),
      },
      languages,
      'zh-TW',
    ) as Language
    if (asked === ctx.state.language) {
      const options = { httpOnly: true, sameSite: 'lax', signed: false, secure, path: '/' } as const
      ctx.cookies.set(name, asked, { ...options, maxAge: year })
    }
    await next()
  }
}
