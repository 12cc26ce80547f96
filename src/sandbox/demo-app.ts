/** Two relying parties on openid-client: one of our own, one from outside. What they learn, they show. */
import type { RequestListener } from 'node:http'
import Router from '@koa/router'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import Koa, { type Context } from 'koa'
import * as client from 'openid-client'
import { openDemoSessions, type SignedIn } from './demo-sessions.ts'
import { readForm } from './form.ts'
import { showPage, showStylesheet } from './pages.ts'

export type DemoClient = { clientId: string; clientSecret: string }
type AppId = 'main' | 'partner'

export type DemoOptions = {
  issuer: string
  demoUrl: string
  clients: Record<AppId, DemoClient>
  onError: (error: unknown, where: string) => void
}

const apps = {
  main: { path: '', name: '課程筆記', english: 'Course notes' },
  partner: { path: '/partner', name: '校外測驗平台', english: 'Quiz platform (third party)' },
} satisfies Record<AppId, { path: string; name: string; english: string }>

const scope = 'openid profile email phone eduinfo openid2'

/** What Citygate registers the demo's apps as (RFC 7591 names and ours). */
export function demoClientMetadata(demoPort: number): Record<AppId, Record<string, unknown>> {
  const demoUrl = `http://localhost:${demoPort}`
  const of = (id: AppId) => ({
    client_name: apps[id].name,
    client_uri: `${demoUrl}${apps[id].path || '/'}`,
    application_type: 'web',
    redirect_uris: [`${demoUrl}${apps[id].path}/callback`],
    post_logout_redirect_uris: [`${demoUrl}${apps[id].path || '/'}`],
    backchannel_logout_uri: `${demoUrl}${apps[id].path}/backchannel-logout`,
    backchannel_logout_session_required: true,
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_basic',
    first_party: id === 'main',
  })
  return { main: of('main'), partner: of('partner') }
}

/** The listener of the demo's port. */
export function openDemoApp({ issuer, demoUrl, clients, onError }: DemoOptions): RequestListener {
  const sessions = openDemoSessions()
  const jwks = createRemoteJWKSet(new URL(`${issuer}/jwks`), { cooldownDuration: 5_000 })
  const app = new Koa()
  const router = new Router()
  app.on('error', (error) => onError(error, 'demo'))
  router.get('/demo.css', (ctx) => showStylesheet(ctx, 'demo.css'))

  for (const id of Object.keys(apps) as AppId[]) {
    const { path, name, english } = apps[id]
    const home = path || '/'
    const { clientId, clientSecret } = clients[id]
    const provider = lazily(() =>
      client.discovery(
        new URL(issuer),
        clientId,
        undefined,
        client.ClientSecretBasic(clientSecret),
        {
          execute: [client.allowInsecureRequests],
        },
      ),
    )

    /** Calls Citygate with the person's access token; a refusal is shown as what it is. */
    const ask = async (url: string, { accessToken }: SignedIn): Promise<unknown> => {
      const answer = await fetch(url, { headers: { authorization: `Bearer ${accessToken}` } })
      return answer.ok ? answer.json() : { status: answer.status }
    }

    async function gather(ctx: Context) {
      const signedIn = sessions.of(ctx).signedIn.get(id)
      if (!signedIn) return undefined
      const metadata = (await provider()).serverMetadata()
      const [userinfo, v1, v2, verified] = await Promise.all([
        ask(String(metadata.userinfo_endpoint), signedIn),
        ask(`${issuer}/eduinfo/v1`, signedIn),
        ask(`${issuer}/eduinfo/v2`, signedIn),
        jwtVerify(signedIn.idToken, jwks, { issuer, audience: clientId }).then(
          () => true,
          () => false,
        ),
      ])
      return {
        claims: signedIn.claims,
        userinfo,
        eduinfo: { v1, v2 },
        id_token_header: decodeProtectedHeader(signedIn.idToken),
        id_token_payload: decodeJwt(signedIn.idToken),
        id_token_verified: verified,
        has_refresh_token: signedIn.refreshToken !== undefined,
        refreshed: signedIn.refreshed,
      }
    }

    router.get(home, async (ctx) => {
      const session = await gather(ctx)
      await showPage(ctx, 'demo', { id, path, home, name, english, issuer, apps, session })
    })

    router.get(`${path}/session.json`, async (ctx) => {
      ctx.set('Cache-Control', 'no-store')
      ctx.body = (await gather(ctx)) ?? {}
    })

    router.get(`${path}/login`, async (ctx) => {
      const verifier = client.randomPKCECodeVerifier()
      const [state, nonce] = [client.randomState(), client.randomNonce()]
      const asked = new URLSearchParams(ctx.querystring)
      const passedOn = ['upstream', 'prompt', 'max_age', 'ui_locales', 'login_hint']
        .map((key) => [key, asked.get(key)])
        .filter((pair): pair is [string, string] => pair[1] !== null)
      const maxAge = asked.get('max_age')
      sessions.of(ctx).pending.set(state, {
        app: id,
        verifier,
        nonce,
        ...(maxAge === null ? {} : { maxAge: Number(maxAge) }),
      })
      const url = client.buildAuthorizationUrl(await provider(), {
        redirect_uri: `${demoUrl}${path}/callback`,
        scope,
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...Object.fromEntries(passedOn),
      })
      redirect(ctx, url.href)
    })

    router.get(`${path}/callback`, async (ctx) => {
      const session = sessions.of(ctx)
      const url = new URL(`${demoUrl}${path}/callback`)
      url.search = ctx.search
      const state = url.searchParams.get('state') ?? ''
      const pending = session.pending.get(state)
      session.pending.delete(state)
      if (!pending || pending.app !== id) return redirect(ctx, home)
      try {
        const tokens = await client.authorizationCodeGrant(await provider(), url, {
          expectedState: state,
          expectedNonce: pending.nonce,
          pkceCodeVerifier: pending.verifier,
          ...(pending.maxAge === undefined ? {} : { maxAge: pending.maxAge }),
          idTokenExpected: true,
        })
        session.signedIn.set(id, {
          idToken: tokens.id_token ?? '',
          accessToken: tokens.access_token,
          refreshToken: tokens.refresh_token,
          claims: { ...tokens.claims() },
          refreshed: 0,
        })
        redirect(ctx, home)
      } catch (error) {
        await showFailure(ctx, error)
      }
    })

    router.post(`${path}/refresh`, async (ctx) => {
      const { signedIn } = sessions.of(ctx)
      const before = signedIn.get(id)
      if (!before?.refreshToken) return redirect(ctx, home)
      try {
        const tokens = await client.refreshTokenGrant(await provider(), before.refreshToken)
        signedIn.set(id, {
          idToken: tokens.id_token ?? before.idToken,
          accessToken: tokens.access_token,
          refreshToken: tokens.refresh_token ?? before.refreshToken,
          claims: { ...(tokens.claims() ?? before.claims) },
          refreshed: before.refreshed + 1,
        })
        redirect(ctx, `${home}#tokens`)
      } catch (error) {
        signedIn.delete(id)
        await showFailure(ctx, error)
      }
    })

    router.post(`${path}/logout`, async (ctx) => {
      const { signedIn } = sessions.of(ctx)
      const before = signedIn.get(id)
      signedIn.delete(id)
      if (!before) return redirect(ctx, home)
      const url = client.buildEndSessionUrl(await provider(), {
        id_token_hint: before.idToken,
        post_logout_redirect_uri: `${demoUrl}${home}`,
      })
      redirect(ctx, url.href)
    })

    /** OpenID Connect Back-Channel Logout 1.0 §2.6. */
    router.post(`${path}/backchannel-logout`, async (ctx) => {
      const token = (await readForm(ctx.req)).get('logout_token') ?? ''
      try {
        const { payload } = await jwtVerify(token, jwks, {
          issuer,
          audience: clientId,
          typ: 'logout+jwt',
        })
        const events = payload.events as Record<string, unknown> | undefined
        if (!events?.['http://schemas.openid.net/event/backchannel-logout'] || payload.nonce) {
          throw new Error('not a logout token')
        }
        for (const { signedIn } of sessions.all()) {
          if (signedIn.get(id)?.claims.sid === payload.sid) signedIn.delete(id)
        }
        ctx.status = 200
        ctx.body = ''
      } catch {
        ctx.status = 400
        ctx.body = { error: 'invalid_request' }
      }
    })

    async function showFailure(ctx: Context, error: unknown) {
      onError(error, 'demo')
      const code = error instanceof Error && 'error' in error ? String(error.error) : 'unknown'
      await showPage(
        ctx,
        'demo-failure',
        { id, path, home, name, english, issuer, apps, code },
        400,
      )
    }
  }

  app.use(router.routes())
  app.use(router.allowedMethods())
  return app.callback()
}

function redirect(ctx: Context, url: string) {
  ctx.redirect(url)
  ctx.status = 303
}

/** Made when first asked for; a failure is forgotten, so that the next visitor tries again. */
function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}
