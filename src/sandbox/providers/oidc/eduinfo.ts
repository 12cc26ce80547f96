/** The Ministry's eduinfo resource: same bearer token as userinfo, another path, scope `eduinfo`. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Context, Middleware } from 'koa'
import type Provider from 'oidc-provider'
import type { OidcCounty } from '../../counties.ts'
import { findPerson } from '../../people.ts'
import { eduinfoOf } from './vocabularies.ts'

const compress = promisify(gzip)

/** Answers who the bearer is at school, or why not (RFC 6750 §3.1). */
export function eduinfo(county: OidcCounty, provider: Provider): Middleware {
  return async (ctx, next) => {
    if (!county.eduinfo || ctx.path !== county.eduinfo.path) return next()
    const bearer = /^Bearer (\S+)$/i.exec(ctx.get('authorization'))?.[1]
    const token = bearer && (await provider.AccessToken.find(bearer))
    if (!token) return refuse(ctx, 401, 'invalid_token')
    if (!token.scopes.has('eduinfo')) return refuse(ctx, 403, 'insufficient_scope')
    const one = findPerson(county.id, token.accountId)
    if (!one) return refuse(ctx, 401, 'invalid_token')
    const text = JSON.stringify(eduinfoOf(county, one))
    ctx.set('Cache-Control', 'no-store')
    ctx.type = 'application/json'
    if (county.eduinfo.gzip) ctx.set('Content-Encoding', 'gzip')
    ctx.body = county.eduinfo.gzip ? await compress(text) : text
  }
}

function refuse(ctx: Context, status: 401 | 403, error: string): void {
  ctx.status = status
  ctx.set('WWW-Authenticate', `Bearer error="${error}"`)
  ctx.body = { error }
}
