/** Gives every request its reference and its one log line. */
import { randomInt } from 'node:crypto'
import type { Log } from '#lib/log.ts'
import type { Context, Next, State } from '../context.ts'
import type { House } from '../house.ts'

// No 0/O, 1/I/L: a reference is read over the phone.
const letters = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
const half = letters.length ** 5

/** Ten letters, from two draws: each costs as much as the rest of it. */
const newReference = () => spell(randomInt(half)) + spell(randomInt(half))

function spell(number: number): string {
  let text = ''
  for (let rest = number, i = 0; i < 5; i++) {
    text += letters[rest % letters.length]
    rest = Math.floor(rest / letters.length)
  }
  return text
}

export function reference({ log, metrics, tracing }: Pick<House, 'log' | 'metrics' | 'tracing'>) {
  // Looking for secrets costs fifteen times the line itself. There are none in this one: all of it is ours.
  const lines = log.child({}, { redact: [] })
  return (ctx: Context, next: Next) =>
    tracing.request(ctx.headers, async (trace) => {
      const started = performance.now()
      const ref = newReference()
      const bindings = trace ? { ref, trace_id: trace.id } : { ref }
      ctx.state = openState(log, bindings)
      ctx.set('X-Reference', ref)
      try {
        await next()
      } finally {
        // Route patterns only: a path holds interaction ids, a query holds codes and states.
        const route = String(ctx.oidc?.route ?? ctx._matchedRoute ?? 'none')
        const { method, status } = ctx
        const ms = performance.now() - started
        const line = { ...bindings, method, route, status, ms: Math.round(ms) }
        lines[status >= 500 ? 'error' : 'info'](line, 'request')
        metrics.request(route, method, status, ms / 1000)
        trace?.end({ method, route, status })
      }
    })
}

/** What a request carries; its log is opened when first written to, and most requests write nothing but their line. */
function openState(log: Log, bindings: { ref: string }): State {
  let own: Log | undefined
  return {
    ref: bindings.ref,
    get log() {
      own ??= log.child(bindings)
      return own
    },
    // Found out by the middleware of these names, before anything speaks.
    language: 'zh-TW',
    source: '',
  }
}
