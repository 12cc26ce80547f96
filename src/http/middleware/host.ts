/** Turns away requests for another host before anything reads them: nobody poisons a link or a cache here. */
import type { Context, Next } from '../context.ts'
import { Problem } from '../problem.ts'

export function host(issuer: string) {
  const ours = new URL(issuer).host
  return async (ctx: Context, next: Next) => {
    const { req } = ctx
    // An absolute-form target (RFC 9112 §3.2.2) would name a host past the header.
    if (
      countHosts(req.rawHeaders) !== 1 ||
      req.headers.host !== ours ||
      !req.url?.startsWith('/')
    ) {
      throw new Problem(421, 'host')
    }
    await next()
  }
}

/** Names and values take turns; of two Host headers Node keeps the first and says nothing. */
function countHosts(rawHeaders: string[]): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count
}
