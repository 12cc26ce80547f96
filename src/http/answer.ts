/** The only writer of answers: pages, problems and redirects of ours. */
import { Readable } from 'node:stream'
import type { Messages } from '#lib/messages.ts'
import type { Context } from './context.ts'
import { contentSecurityPolicy, type PolicyNeeds } from './middleware/headers.ts'
import type { Problem } from './problem.ts'
import type { Renderer, Views } from './render.ts'

export type PageOf<View extends keyof Views> = PolicyNeeds & {
  view: View
  locals: Views[View]
  status?: number
  /** When it makes sense to come again. */
  retryAfterSeconds?: number
  /** Who is signed in: named at the top of her own pages. */
  user?: { name: string } | undefined
}

export type Answer = {
  page<View extends keyof Views>(ctx: Context, page: PageOf<View>): void
  problem(ctx: Context, problem: Problem): void
  /** For a script of ours. */
  data(ctx: Context, body: Record<string, string>): void
  /** A file to keep, as it comes; nothing in it runs. */
  download(
    ctx: Context,
    file: { name: string; type: string; text: Iterable<string> | AsyncIterable<string> },
  ): void
  /** 303: whatever the method was, the next one is GET, and no body is sent again (RFC 9700 §4.12). */
  redirect(ctx: Context, url: string): void
}

export type AnswerPorts = {
  render: Renderer
  messages: Messages
  /** The form token of this request's browser. */
  tokenFor: (ctx: Context) => string
}

export function openAnswer({ render, messages, tokenFor }: AnswerPorts): Answer {
  const page: Answer['page'] = (ctx, one) => {
    const { view, locals, status = 200, formAction, worker, connect, retryAfterSeconds, user } = one
    const { ref, language: lang } = ctx.state
    ctx.status = status
    ctx.type = 'html'
    if (retryAfterSeconds) ctx.set('Retry-After', String(retryAfterSeconds))
    ctx.set('Content-Security-Policy', contentSecurityPolicy({ formAction, worker, connect }))
    ctx.set('Content-Language', lang)
    // Where the language switch leads must be a page one can open: a form's target is none.
    const url = ctx.state.pageUrl ?? (ctx.method === 'GET' ? ctx.originalUrl : '/')
    ctx.body = render(view, { lang, ref, url, user, locals })
  }
  return {
    page,
    problem(ctx, { status, key, options }) {
      const {
        params = {},
        next = [],
        retryAfterSeconds,
        formAction,
        notices,
        status: link,
      } = options
      const keptKey = options.kept ?? `problem.${key}.kept`
      page(ctx, {
        view: 'problem',
        status,
        retryAfterSeconds,
        formAction,
        locals: {
          titleKey: `problem.${key}.title`,
          whatKey: `problem.${key}.what`,
          keptKey: messages.has(keptKey) ? keptKey : undefined,
          params,
          next,
          notices,
          status: link,
          formToken: tokenFor(ctx),
        },
      })
    },
    data(ctx, body) {
      ctx.type = 'json'
      ctx.body = JSON.stringify(body)
    },
    download(ctx, { name, type, text }) {
      ctx.set('Content-Disposition', `attachment; filename="${name}"`)
      ctx.set('Content-Security-Policy', "default-src 'none'; sandbox")
      ctx.type = type
      ctx.body = Readable.from(text, { objectMode: false, encoding: 'utf8' })
    },
    redirect(ctx, url) {
      ctx.redirect(url)
      ctx.status = 303
    },
  }
}
