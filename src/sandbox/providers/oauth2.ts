/** A pretend county with OAuth 2.0 of its own: a code, a token, and calls that say who it is. */
import type { RequestListener } from 'node:http'
import Koa, { type Context } from 'koa'
import { countyClient, type OAuth2County } from '../counties.ts'
import type { CountyPorts } from '../county-ports.ts'
import { askToSignIn } from '../county-sign-in.ts'
import { readForm } from '../form.ts'
import { ruleOf } from '../modes.ts'
import { showPage } from '../pages.ts'
import { findPerson } from '../people.ts'
import { openGrants } from './oauth2/grants.ts'
import { fullProfileOf, profileOf, schoolOf, userOf } from './oauth2/taipei-api.ts'

/** It keeps nobody signed in: there is no address to sign out at. */
export async function openOAuth2Provider(
  county: OAuth2County,
  ports: CountyPorts,
): Promise<RequestListener> {
  const { routes, id } = county
  const grants = openGrants(ports.now)
  const redirectUri = ports.citygateCallback(id)
  const client = countyClient(id)

  async function authorize(ctx: Context) {
    const asked = new URLSearchParams(ctx.querystring)
    const known = asked.get('client_id') === client.clientId
    if (!known || asked.get('redirect_uri') !== redirectUri) {
      return showPage(
        ctx,
        'county-message',
        { county, kind: 'error', error: 'invalid_client' },
        400,
      )
    }
    const back = (answer: Record<string, string>) => {
      const url = new URL(redirectUri)
      for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value)
      const state = asked.get('state')
      if (state !== null) url.searchParams.set('state', state)
      ctx.redirect(url.href)
      ctx.status = 303
    }
    if (ruleOf(await ports.switches.get(id)).refuses) return back({ error: 'access_denied' })
    if (asked.get('response_type') !== 'code') return back({ error: 'unsupported_response_type' })
    const signedIn = await askToSignIn(ctx, county, undefined)
    switch (signedIn.kind) {
      case 'shown':
        return
      case 'cancelled':
        return back({ error: 'access_denied' })
      case 'known': {
        const challenge = asked.get('code_challenge')
        return back({ code: grants.code({ account: signedIn.account, redirectUri, challenge }) })
      }
    }
  }

  async function redeem(ctx: Context) {
    const body = await readForm(ctx.req)
    // 酷課雲 wants them in the query; this one takes them from either.
    const sent = body.size > 0 ? body : new URLSearchParams(ctx.querystring)
    if (!isClient(ctx, sent)) return refuse(ctx, 401, 'invalid_client')
    const token = grants.redeem(sent)
    if (!token) return refuse(ctx, 400, 'invalid_grant')
    ctx.body = { token_type: 'Bearer', expires_in: grants.tokenSeconds, access_token: token }
  }

  function isClient(ctx: Context, sent: URLSearchParams): boolean {
    const pair = `${client.clientId}:${client.clientSecret}`
    const basic = `Basic ${Buffer.from(pair).toString('base64')}`
    if (ctx.get('authorization') === basic) return true
    return (
      sent.get('client_id') === client.clientId && sent.get('client_secret') === client.clientSecret
    )
  }

  async function answerCall(ctx: Context) {
    const account = grants.accountOf(/^Bearer (.+)$/.exec(ctx.get('authorization'))?.[1] ?? '')
    const one = account === undefined ? undefined : findPerson(id, account)
    if (!one) return refuse(ctx, 401, 'invalid_token')
    const { uuid, ...nameless } = userOf(id, one)
    const calls: Record<string, () => unknown> = {
      [routes.user]: async () =>
        (await ports.switches.get(id)) === 'no-subject' ? nameless : { ...nameless, uuid },
      [routes.profile]: () => profileOf(one),
      '/api/v2/profile': () => fullProfileOf(one),
    }
    const domain = /^\/api\/(?:v2\/)?school\/([^/]+)$/.exec(ctx.path)?.[1]
    const said = domain ? schoolOf(id, decodeURIComponent(domain)) : await calls[ctx.path]?.()
    if (!said) return refuse(ctx, 404, 'not_found')
    ctx.body = said
  }

  const app = new Koa()
  app.on('error', (error) => ports.onError(error, id))
  app.use(async (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    if (ctx.path === routes.authorization) return authorize(ctx)
    if (ctx.path === routes.token && ctx.method === 'POST') return redeem(ctx)
    if (ctx.path.startsWith('/api/')) return answerCall(ctx)
    return showPage(ctx, 'lost', {}, 404)
  })
  return app.callback()
}

function refuse(ctx: Context, status: number, error: string) {
  ctx.status = status
  ctx.body = { error }
}
