/** Makes node-oidc-provider's self-submitting form one of our pages: its words, its language, its policy. */
import { cspSource } from '../app-of.ts'
import type { Context, Next } from '../context.ts'
import type { House } from '../house.ts'

const sign = '<title>Submitting Callback</title>'

export function formPost({ assets, messages }: Pick<House, 'assets' | 'messages'>) {
  return async (ctx: Context, next: Next) => {
    await next()
    if (typeof ctx.body !== 'string' || !ctx.body.includes(sign)) return
    const lang = ctx.state.language
    const say = (key: string) => messages.translate(lang, `form-post.${key}`)
    const action = /<form method="post" action="([^"]*)"/
      .exec(ctx.body)?.[1]
      ?.replaceAll('&amp;', '&')
    const head = `<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="${assets.url('citygate.css')}">`
    ctx.body = ctx.body
      .replace('<html>', `<html lang="${lang}">`)
      .replace(sign, `<title>${say('title')}</title>${head}`)
      .replace(/Your browser does not support.*?<br\/>/s, `<p>${say('what')}</p>`)
      .replace('>Continue<', `>${say('continue')}<`)
    // The provider added its script's digest to the policy already; the form's target is for us to add, and the
    // app behind it: when somebody else takes over, this form signs the first person out and the request goes on.
    const policy = ctx.response.get('Content-Security-Policy')
    const redirectUri = ctx.oidc?.entities.Interaction?.params.redirect_uri
    const app = typeof redirectUri === 'string' ? redirectUri : undefined
    const target = [...cspSource(action), ...cspSource(app)].join(' ')
    ctx.set(
      'Content-Security-Policy',
      policy.replace(/form-action [^;]*/, `form-action 'self' ${target}`),
    )
  }
}
