/** What a pretend county does that its library would not: quirks it has for life and faults its switch turns on. */
import { CompactSign, decodeJwt, importJWK, type JWK } from 'jose'
import type { Middleware } from 'koa'
import type Provider from 'oidc-provider'
import type { OidcCounty } from '../../counties.ts'
import { type ModeRule, ruleOf } from '../../modes.ts'
import type { Switches } from '../../switches.ts'

/** The middleware that bends one county's provider, in order. */
export function quirks(
  county: OidcCounty,
  provider: Provider,
  key: JWK,
  switches: Switches,
): Middleware[] {
  return [
    refuseAuthorization(county, provider, switches),
    refuseBasic(county),
    hideKid(county),
    rewriteIdToken(county, key, switches),
  ]
}

/** Says no before anybody signs in, but only to a redirect_uri the client registered (RFC 9700 §4.11). */
function refuseAuthorization(
  county: OidcCounty,
  provider: Provider,
  switches: Switches,
): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== county.routes.authorization) return next()
    if (!ruleOf(await switches.get(county.id)).refuses) return next()
    const asked = new URLSearchParams(ctx.querystring)
    const redirectUri = asked.get('redirect_uri') ?? ''
    const client = await provider.Client.find(asked.get('client_id') ?? '')
    if (!client?.redirectUriAllowed(redirectUri)) return next()
    const back = new URL(redirectUri)
    back.searchParams.set('error', 'access_denied')
    back.searchParams.set('error_description', 'the sandbox county refuses everybody')
    // RFC 9207: what says no says who it is, too.
    back.searchParams.set('iss', provider.issuer)
    const state = asked.get('state')
    if (state !== null) back.searchParams.set('state', state)
    ctx.redirect(back.href)
  }
}

/** The library lets a client registered for post use Basic as well; Kaohsiung does not. */
function refuseBasic(county: OidcCounty): Middleware {
  return async (ctx, next) => {
    const basic = ctx.path === county.routes.token && ctx.get('authorization') !== ''
    if (!county.onlyTokenAuth || !basic) return next()
    ctx.status = 401
    ctx.body = {
      error: 'invalid_client',
      error_description: `only ${county.onlyTokenAuth} is accepted`,
    }
  }
}

function hideKid(county: OidcCounty): Middleware {
  return async (ctx, next) => {
    await next()
    if (county.kid || ctx.path !== county.routes.jwks || !hasKeys(ctx.body)) return
    // The library serves one shared object: a copy is changed, never the original.
    ctx.body = { keys: ctx.body.keys.map(({ kid: _, ...key }) => key) }
    ctx.type = 'application/jwk-set+json'
  }
}

function rewriteIdToken(county: OidcCounty, key: JWK, switches: Switches): Middleware {
  return async (ctx, next) => {
    await next()
    if (ctx.path !== county.routes.token || !hasIdToken(ctx.body)) return
    const rule = ruleOf(await switches.get(county.id))
    if (county.kid && !rule.lies && !rule.breaksSignature) return
    ctx.body = { ...ctx.body, id_token: await forge(county, key, ctx.body.id_token, rule) }
  }
}

/** Signs the claims anew with the county's key, as the quirk or fault wants them. */
async function forge(
  county: OidcCounty,
  key: JWK,
  idToken: string,
  rule: ModeRule,
): Promise<string> {
  const claims = { ...decodeJwt(idToken), ...rule.lies }
  const header = { alg: 'RS256', ...(county.kid && { kid: kidOf(idToken) }) }
  const signed = await new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader(header)
    .sign(await importJWK(key, 'RS256'))
  return rule.breaksSignature ? breakSignature(signed) : signed
}

function kidOf(jwt: string): string | undefined {
  return JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()).kid
}

/** Turns the signature's first bytes round; its length and alphabet stay right. */
function breakSignature(jwt: string): string {
  const [header, payload, signature = ''] = jwt.split('.')
  const bytes = Buffer.from(signature, 'base64url').map((byte, at) => (at < 8 ? byte ^ 0xff : byte))
  return [header, payload, Buffer.from(bytes).toString('base64url')].join('.')
}

function hasKeys(body: unknown): body is { keys: JWK[] } {
  return typeof body === 'object' && body !== null && 'keys' in body && Array.isArray(body.keys)
}

function hasIdToken(body: unknown): body is { id_token: string } {
  return (
    typeof body === 'object' &&
    body !== null &&
    'id_token' in body &&
    typeof body.id_token === 'string'
  )
}
