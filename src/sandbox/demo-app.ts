/** Two relying parties on openid-client: one of our own, one from outside. What they learn, they show. */
import type { RequestListener } from 'node:http'
import Router from '@koa/router'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import Koa, { type Context } from 'koa'
import * as client from 'openid-client'
import { once } from '#lib/once.ts'
import { readLogoutToken } from './demo-logout.ts'
import { openDemoSessions, type SignedIn } from './demo-sessions.ts'
import { readForm } from './form.ts'
import type { SandboxMemory } from './memory.ts'
import { showLooks, showPage } from './pages.ts'

export type DemoClient = { clientId: string; clientSecret: string }
type AppId = 'main' | 'partner'

export type DemoOptions = {
  issuer: string
  demoUrl: string
  /** The mailbox of the sandbox. */
  mailsUrl: string
  clients: Record<AppId, DemoClient>
  memory: SandboxMemory
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
export function openDemoApp({
  issuer,
  demoUrl,
  mailsUrl,
  clients,
  memory,
  onError,
}: DemoOptions): RequestListener {
  // Cookies ignore ports: two copies on one machine must not overwrite each other's.
  const sessions = openDemoSessions(memory, `sandbox_demo_${new URL(demoUrl).port}`)
  const jwks = createRemoteJWKSet(new URL(`${issuer}/jwks`), { cooldownDuration: 5_000 })
  const app = new Koa()
  const router = new Router()
  app.on('error', (error) => onError(error, 'demo'))
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      onError(error, 'demo')
      await showFailure(ctx, error, issuer)
    }
  })
  router.get(['/demo.css', '/demo.svg'], (ctx) => showLooks(ctx, 'demo'))

  for (const id of Object.keys(apps) as AppId[]) {
    const { path, name, english } = apps[id]
    const home = path || '/'
    const { clientId, clientSecret } = clients[id]
    const provider = once(() =>
      client.discovery(
        new URL(issuer),
        clientId,
        undefined,
        client.ClientSecretBasic(clientSecret),
        {
          execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
        },
      ),
    )

    /** Calls Citygate with the person's access token; a refusal is shown as what it is. */
    const ask = async (url: string, { accessToken }: SignedIn): Promise<unknown> => {
      const answer = await fetch(url, { headers: { authorization: `Bearer ${accessToken}` } })
      return answer.ok ? answer.json() : { status: answer.status }
    }

    async function gather(ctx: Context) {
      const signedIn = (await sessions.find(ctx)).signedIn[id]
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

    const keep = (ctx: Context, one: SignedIn) =>
      sessions.change(ctx, ({ signedIn }) => {
        signedIn[id] = one
      })
    const forget = (ctx: Context) => sessions.change(ctx, ({ signedIn }) => delete signedIn[id])

    router.get(home, async (ctx) => {
      const session = await gather(ctx)
      await showPage(ctx, 'demo', {
        id,
        path,
        home,
        name,
        english,
        issuer,
        mailsUrl,
        apps,
        session,
      })
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
      await sessions.change(ctx, ({ pending }) => {
        pending[state] = {
          app: id,
          verifier,
          nonce,
          ...(maxAge === null ? {} : { maxAge: Number(maxAge) }),
        }
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
      const url = new URL(`${demoUrl}${path}/callback`)
      url.search = ctx.search
      const state = url.searchParams.get('state') ?? ''
      const pending = (await sessions.find(ctx)).pending[state]
      if (!pending || pending.app !== id) return redirect(ctx, home)
      await sessions.change(ctx, (session) => delete session.pending[state])
      const tokens = await client.authorizationCodeGrant(await provider(), url, {
        expectedState: state,
        expectedNonce: pending.nonce,
        pkceCodeVerifier: pending.verifier,
        ...(pending.maxAge === undefined ? {} : { maxAge: pending.maxAge }),
        idTokenExpected: true,
      })
      await keep(ctx, {
        idToken: tokens.id_token ?? '',
        accessToken: tokens.access_token,
        refreshToken: tokens.refresh_token,
        claims: { ...tokens.claims() },
        refreshed: 0,
      })
      redirect(ctx, home)
    })

    router.post(`${path}/refresh`, async (ctx) => {
      const before = (await sessions.find(ctx)).signedIn[id]
      if (!before?.refreshToken) return redirect(ctx, home)
      // Refused tokens are worth nothing: whoever fails here signs in again.
      await forget(ctx)
      const tokens = await client.refreshTokenGrant(await provider(), before.refreshToken)
      await keep(ctx, {
        idToken: tokens.id_token ?? before.idToken,
        accessToken: tokens.access_token,
        refreshToken: tokens.refresh_token ?? before.refreshToken,
        claims: { ...(tokens.claims() ?? before.claims) },
        refreshed: before.refreshed + 1,
      })
      redirect(ctx, `${home}#tokens`)
    })

    router.post(`${path}/logout`, async (ctx) => {
      const before = (await sessions.find(ctx)).signedIn[id]
      await forget(ctx)
      if (!before) return redirect(ctx, home)
      const url = client.buildEndSessionUrl(await provider(), {
        id_token_hint: before.idToken,
        post_logout_redirect_uri: `${demoUrl}${home}`,
      })
      redirect(ctx, url.href)
    })

    router.post(`${path}/backchannel-logout`, async (ctx) => {
      const token = (await readForm(ctx.req)).get('logout_token') ?? ''
      const sid = await readLogoutToken(token, jwks, { issuer, clientId })
      if (sid) await sessions.endSid(id, sid)
      ctx.set('Cache-Control', 'no-store')
      ctx.status = sid ? 200 : 400
      ctx.body = sid ? '' : { error: 'invalid_request' }
    })
  }

  app.use(router.routes())
  app.use(router.allowedMethods())
  return app.callback()
}

/** Says what happened, never how: the whole error is in the log. */
async function showFailure(ctx: Context, error: unknown, issuer: string) {
  const id = ctx.path.startsWith(`${apps.partner.path}/`) ? 'partner' : 'main'
  const { path, name, english } = apps[id]
  const code = codeOf(error)
  const status = code === 'unreachable' ? 502 : 400
  const home = path || '/'
  await showPage(ctx, 'demo-failure', { id, path, home, name, english, issuer, apps, code }, status)
}

/** The word of OAuth where Citygate said one, else the kind of failure. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  if ('error' in error) return String(error.error)
  // fetch() rejects with a TypeError when nobody answers; openid-client wraps its own words in `code`.
  return error instanceof client.ClientError ? String(error.code ?? 'unknown') : 'unreachable'
}

function redirect(ctx: Context, url: string) {
  ctx.redirect(url)
  ctx.status = 303
}
