/** Turns away requests for another host before anything reads them: nobody poisons a link or a cache here. */
import type { Context, Next } from '../context.ts'
import { Problem } from '../problem.ts'

export function host(issuer: string) {
  const ours = new URL(issuer).host
  return async (ctx: Context, next: Next) => {
    const { req } = ctx
    const hosts = req.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host')
    // An absolute-form target (RFC 9112 §3.2.2) would name a host past the header.
    if (hosts.length !== 1 || req.headers.host !== ours || !req.url?.startsWith('/')) {
      throw new Problem(421, 'host')
    }
    await next()
  }
}
