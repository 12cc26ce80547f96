/** Whether this process answers (`/health/live`), and whether it may be sent requests (`/health/ready`). */
import type { Context, Next } from '../context.ts'

/** Each is true when all is well. One that throws, or takes longer than we wait, has failed. */
export type HealthChecks = Record<string, () => Promise<boolean>>

type Verdict = 'ok' | 'failed'
export type HealthReport = { status: Verdict; checks: Record<string, Verdict> }

export type Health = {
  report(): Promise<HealthReport>
  /** From now on not ready: the balancer sends people elsewhere while requests under way are finished. */
  drain(): void
}

export type HealthPorts = {
  checks: HealthChecks
  /** Hears of every change, so that the log says when it began and when it was over. */
  changed?: (report: HealthReport) => void
  /** How long a check may take, and how long its result is good for. */
  patienceMs?: number
}

export function openHealth({ checks, changed, patienceMs = 1_000 }: HealthPorts): Health {
  let draining = false
  let last: { report: Promise<HealthReport>; until: number } | undefined
  let status: Verdict = 'ok'
  // What hangs is not asked again until it has answered: waiting questions must not pile up on a sick database.
  const asked = new Map<string, Promise<boolean>>()

  async function check(name: string, ask: () => Promise<boolean>): Promise<Verdict> {
    const answer = asked.get(name) ?? attempt(ask)
    asked.set(name, answer)
    void answer.then(() => asked.delete(name))
    return (await within(patienceMs, answer)) ? 'ok' : 'failed'
  }

  async function ask(): Promise<HealthReport> {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, one]) => [name, await check(name, one)] as const),
    )
    const report: HealthReport = {
      status: results.every(([, verdict]) => verdict === 'ok') ? 'ok' : 'failed',
      checks: Object.fromEntries(results),
    }
    if (report.status !== status) changed?.(report)
    status = report.status
    return report
  }

  return {
    async report() {
      if (!last || last.until <= performance.now()) {
        // Measured from the end of the checks: slow ones would otherwise be asked without a pause.
        const fresh = { report: ask(), until: Infinity }
        last = fresh
        void fresh.report.finally(() => {
          fresh.until = performance.now() + patienceMs
        })
      }
      const report = await last.report
      if (!draining) return report
      return { status: 'failed', checks: { ...report.checks, draining: 'failed' } }
    },
    drain() {
      draining = true
    },
  }
}

async function attempt(ask: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ask()
  } catch {
    return false
  }
}

function within(ms: number, answer: Promise<boolean>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms)
    void answer.then((well) => {
      clearTimeout(timer)
      resolve(well)
    })
  })
}

/** Stands before everything else: an orchestrator asks by address, often, and nobody wants a log line each time. */
export function health({ report }: Pick<Health, 'report'>) {
  return async (ctx: Context, next: Next) => {
    const { path, method } = ctx
    if (!path.startsWith('/health/') || (method !== 'GET' && method !== 'HEAD')) return next()
    if (path !== '/health/live' && path !== '/health/ready') return next()
    const answer = path === '/health/live' ? { status: 'ok' } : await report()
    ctx.status = answer.status === 'ok' ? 200 : 503
    ctx.set('Cache-Control', 'no-store')
    ctx.set('X-Content-Type-Options', 'nosniff')
    if (ctx.status === 503) ctx.set('Retry-After', '1')
    ctx.body = answer
  }
}
