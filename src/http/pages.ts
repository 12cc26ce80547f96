/** The pages node-oidc-provider asks for, in our words and looks. */
import type { errors, KoaContextWithOIDC } from 'oidc-provider'
import type { Language } from '#config/words.ts'
import type { ProviderPages } from '#oidc/provider.ts'
import type { Answer } from './answer.ts'
import { appOf, cspSource } from './app-of.ts'
import type { Context } from './context.ts'
import { home, Problem, signOutHere } from './problem.ts'

/** The upstream a session stands on, if people sign out there, and where its pages are. */
export type SignOutThere = (
  session: object,
  language: Language,
) => { county: string; sources: string[] } | undefined

export function openProviderPages(answer: Answer, signOutThere: SignOutThere): ProviderPages {
  // The provider's context is the one our middleware has been through.
  const ours = (ctx: KoaContextWithOIDC) => ctx as unknown as Context
  const appIn = (ctx: KoaContextWithOIDC) =>
    ctx.oidc.client && appOf(ctx.oidc.client, { language: ours(ctx).state.language })

  return {
    async problem(ctx, { error }, cause) {
      const page = ours(ctx)
      const { status } = ctx
      // The provider's own words for developers: which check failed, never a value.
      const { error_description: why } = cause as errors.OIDCProviderError
      const line = { error, why, err: cause }
      page.state.log[status >= 500 ? 'error' : 'info'](line, 'authorization error')
      const leaving = isLeaving(ctx)
      // The app is not there any more: she signs out all the same.
      if (leaving && error === 'invalid_client') return answer.redirect(page, withoutApp(page))
      answer.problem(page, problemFor(status, error, cause, leaving))
    },
    async signOut(ctx, xsrf) {
      const { session } = ctx.oidc
      const state = session?.state as { postLogoutRedirectUri?: string } | undefined
      const there = session && signOutThere(session, ours(ctx).state.language)
      answer.page(ours(ctx), {
        view: 'sign-out',
        // A browser applies it to every redirect after the form.
        formAction: [...cspSource(state?.postLogoutRedirectUri), ...(there?.sources ?? [])],
        locals: {
          action: ctx.oidc.urlFor('end_session_confirm'),
          xsrf,
          app: appIn(ctx),
          gone: ctx.query[gone] !== undefined,
          county: there?.county,
        },
      })
    },
    async signedOut(ctx) {
      const { accountId } = await ctx.oidc.provider.Session.get(ctx)
      const locals = { app: appIn(ctx), still: accountId !== undefined, home: '/' }
      answer.page(ours(ctx), { view: 'signed-out', locals })
    },
    async deviceCode(ctx, xsrf, problem) {
      answer.page(ours(ctx), {
        view: 'device-code',
        status: problem ? 400 : 200,
        locals: {
          action: ctx.oidc.urlFor('code_verification'),
          xsrf,
          problem: problem && `device.problem.${deviceProblems[problem] ?? 'other'}`,
        },
      })
    },
    async deviceConfirm(ctx, xsrf, userCode) {
      answer.page(ours(ctx), {
        view: 'device-confirm',
        locals: {
          action: ctx.oidc.urlFor('code_verification'),
          xsrf,
          userCode,
          app: appIn(ctx) ?? { name: '', host: '' },
          device: deviceOf(ctx.oidc.deviceCode?.deviceInfo),
        },
      })
    },
    async deviceDone(ctx) {
      answer.page(ours(ctx), { view: 'device-done', locals: { app: appIn(ctx) ?? { name: '' } } })
    },
  }
}

/** What node-oidc-provider noted of the device that asked for the code. */
function deviceOf(info: Record<string, unknown> | undefined) {
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  return info && { ip: text(info.ip), ua: text(info.ua) }
}

/** By the names node-oidc-provider gives what a person may mistype. */
const deviceProblems: Record<string, string> = {
  NoCodeError: 'empty',
  NotFoundError: 'unknown',
  ExpiredError: 'expired',
  AlreadyUsedError: 'used',
  AbortedError: 'aborted',
}

/** She came to sign out, or back from it. */
const isLeaving = ({ oidc }: KoaContextWithOIDC): boolean =>
  ['end_session', 'end_session_success'].includes(oidc.route)

/** The page says that the app she came from is gone. */
const gone = 'gone'

/** Where she asked for, as somebody who comes from nowhere. */
function withoutApp({ path, querystring }: Context): string {
  const locale = new URLSearchParams(querystring).get('ui_locales')
  const query = new URLSearchParams({ [gone]: '', ...(locale ? { ui_locales: locale } : {}) })
  return `${path}?${query}`
}

function problemFor(status: number, error: string, cause: Error, leaving: boolean): Problem {
  if (status >= 500) return new Problem(500, 'server', { cause, next: [home] })
  const next = leaving ? [signOutHere, home] : [home]
  if (cause.name === 'SessionNotFound') return new Problem(400, 'interaction.expired', { next })
  if (error === 'invalid_client') return new Problem(400, 'app.unknown', { next })
  return new Problem(status, 'app.request', { params: { detail: error }, next })
}
