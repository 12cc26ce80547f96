/** Signing out at the upstream as well, and hearing of a sign-out there. */
import type Router from '@koa/router'
import { UpstreamError } from '#errors.ts'
import {
  backFromSignOut,
  canSignOut,
  endFromUpstream,
  leaveToSignOut,
} from '#interaction/upstream-logout.ts'
import { seconds } from '#lib/time.ts'
import { upstreamOf } from '#oidc/upstream-session.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { readBody } from '../input.ts'
import { spendSignOutForm } from '../middleware/limits.ts'
import { home, Problem, signOutHere } from '../problem.ts'

const path = '/upstream/:connector/logout'
/** When there is nothing to go on to. */
const signedOut = '/session/end/success'

export function upstreamLogoutRoutes(router: Router<State>, house: House): void {
  const { config, trips, provider, answer, store, now, cookies, limits } = house

  /** The provider's own form, with our box on it: she wants to be signed out there, too. */
  router.post('sign out there, too', '/session/end/confirm', async (ctx: Context, next) => {
    const upstream = upstreamOf(await provider.Session.get(ctx as never))
    await next()
    const { logout, upstream: wanted } = (ctx.oidc?.body ?? {}) as Record<string, unknown>
    if (ctx.status !== 303 || logout !== 'yes' || wanted !== 'yes') return
    if (!canSignOut(trips, upstream)) return
    const onward = ctx.response.get('location')
    const leaving = await leaveToSignOut(trips, upstream, {
      device: ctx.state.device ?? '',
      onward,
    })
    if (leaving.kind === 'failed')
      ctx.state.log.warn({ connector: upstream.connector, err: leaving.cause }, 'sign-out there')
    if (leaving.kind !== 'leave') return stayed(ctx, upstream.connector, onward)
    // Not every upstream gives `state` back.
    ctx.cookies.set(cookies.signOut, leaving.state, {
      httpOnly: true,
      sameSite: 'lax',
      path: '/',
      signed: true,
      secure: ctx.secure,
      maxAge: trips.tripSeconds * 1000,
    })
    answer.redirect(ctx, leaving.url)
  })

  /** She is out here, and must not think that she is out there. */
  function stayed(ctx: Context, id: string, onward: string) {
    const label = config.connectors.find((one) => one.id === id)?.label
    const goOn = { id: 'go-on', kind: 'link', href: onward, labelKey: 'next.go-on' } as const
    ctx.remove('Location')
    const params = { county: label?.[ctx.state.language] ?? '' }
    answer.problem(ctx, new Problem(502, 'sign-out.there', { params, next: [goOn] }))
  }

  /** Back from there; or a message the upstream sends through the browser (SAML). */
  router.get('upstream.logout', path, async (ctx: Context) => {
    const query = new URLSearchParams(ctx.search)
    if (query.has('SAMLRequest')) return hear(ctx)
    if (query.has('SAMLResponse')) await verify(ctx)
    const state =
      query.get('state') ??
      query.get('RelayState') ??
      ctx.cookies.get(cookies.signOut, { signed: true })
    ctx.cookies.set(cookies.signOut, null, { path: '/', signed: true })
    const onward =
      state &&
      (await backFromSignOut(trips, {
        connector: ctx.params.connector ?? '',
        device: ctx.state.deviceKnown ? (ctx.state.device ?? '') : '',
        state,
      }))
    answer.redirect(ctx, onward || signedOut)
  })

  /** From its server (OpenID Connect Back-Channel Logout 1.0 §2.5), or as a form through the browser. */
  router.post('upstream.logout as a message', path, async (ctx: Context) => {
    const form = await readBody(ctx, '256kb')
    if (isSaml(form)) spendSignOutForm(limits, ctx)
    if (!form.has('SAMLResponse')) return hear(ctx, form)
    await verify(ctx, form)
    // Whatever it says she goes on, from the address where our cookies come along: the trip is this browser's.
    const state = form.get('RelayState')
    answer.redirect(ctx, `${ctx.path}${state ? `?${new URLSearchParams({ state })}` : ''}`)
  })

  async function verify(ctx: Context, form?: URLSearchParams) {
    // Sessions that stand on one staff switched off end as well.
    const connector = trips.opened.get(ctx.params.connector ?? '')
    if (!connector?.hearLogout) return undefined
    const url = new URL(trips.ownAddresses(connector.id).logout)
    url.search = ctx.search
    try {
      const heard = await connector.hearLogout({ url, ...(form ? { form } : {}) })
      return { connector, heard }
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error
      ctx.state.log.warn({ connector: connector.id, failure: error.failure, err: error }, 'logout')
      return undefined
    }
  }

  async function hear(ctx: Context, form?: URLSearchParams) {
    ctx.set('Cache-Control', 'no-store')
    const message = await verify(ctx, form)
    if (!message) {
      // Somebody sees what becomes of a message through her browser.
      if (isSaml(form ?? new URLSearchParams(ctx.search)))
        throw new Problem(400, 'sign-out.message', { next: [signOutHere, home] })
      ctx.status = 400
      ctx.body = { error: 'invalid_request' }
      return
    }
    const { connector, heard } = message
    if (heard.kind === 'answered') return answer.redirect(ctx, signedOut)
    const at = seconds(now)
    const where = circumstancesOf(ctx)
    const ended = await endFromUpstream(store, connector.id, heard, { at, where })
    ctx.state.log.info({ connector: connector.id, ended }, 'signed out there')
    if (heard.reply) return answer.redirect(ctx, heard.reply)
    ctx.status = 200
    ctx.body = ''
  }
}

const isSaml = (message: URLSearchParams): boolean =>
  message.has('SAMLRequest') || message.has('SAMLResponse')
