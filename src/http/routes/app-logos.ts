/** Apps' pictures, as we encoded them: shown where people sign in and agree. */
import type Router from '@koa/router'
import { sha256 } from '#lib/crypto.ts'
import { day } from '#lib/time.ts'
import type { State } from '../context.ts'
import type { House } from '../house.ts'
import { readQuery } from '../input.ts'
import { Problem } from '../problem.ts'

const year = 365 * day

export function appLogoRoutes(router: Router<State>, { store }: House): void {
  router.get('app.logo', '/apps/:id/logo', async (ctx) => {
    const { id = '' } = ctx.params
    // PostgreSQL knows no text with a NUL in it, and throws.
    const logo = id.includes('\0') ? undefined : await store.clientLogos.find(id)
    if (!logo) throw new Problem(404, 'not-found')
    const hash = sha256(logo.bytes.toString('base64'))
    const etag = `"${hash}"`
    // An address with the hash is this very picture's; without, it may be another one tomorrow.
    const lasts = readQuery(ctx).v === hash ? `max-age=${year}, immutable` : 'no-cache'
    ctx.set('Cache-Control', `public, ${lasts}`)
    ctx.set('ETag', etag)
    ctx.set('Content-Security-Policy', "default-src 'none'; sandbox")
    if (ctx.get('if-none-match') === etag) {
      ctx.status = 304
      return
    }
    ctx.type = logo.type
    ctx.body = logo.bytes
  })
}
