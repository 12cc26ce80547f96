/** Chooses the page's language, and remembers it when the person asked for it with `?lang=`. */
import { type Language, languages } from '#config/words.ts'
import { chooseLanguage } from '#lib/messages.ts'
import type { Context, Next } from '../context.ts'
import { keepCookie } from '../cookies.ts'

export function language(name: string) {
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
    if (asked === ctx.state.language) keepCookie(ctx, name, asked)
    await next()
  }
}
