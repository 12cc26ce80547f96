/** Gives every request its reference and its one log line. */
import { randomInt } from 'node:crypto'
import type { Log } from '#lib/log.ts'
import type { Context, Next } from '../context.ts'

// No 0/O, 1/I/L: a reference is read over the phone.
const letters = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
const newReference = () =>
  Array.from({ length: 10 }, () => letters[randomInt(letters.length)]).join('')

export function reference(log: Log) {
  return async (ctx: Context, next: Next) => {
    const started = performance.now()
    ctx.state.ref = newReference()
    ctx.state.log = log.child({ ref: ctx.state.ref })
    ctx.set('X-Reference', ctx.state.ref)
    try {
      await next()
    } finally {
      // Route patterns only: a path holds interaction ids, a query holds codes and states.
      const route = ctx.oidc?.route ?? ctx._matchedRoute ?? 'none'
      const ms = Math.round(performance.now() - started)
      const line = { method: ctx.method, route: String(route), status: ctx.status, ms }
      ctx.state.log[ctx.status >= 500 ? 'error' : 'info'](line, 'request')
    }
  }
}
