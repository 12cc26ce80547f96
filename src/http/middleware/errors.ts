/** Shows whatever went wrong as a page with a way on; only the log learns the cause. */
import { BusyError, isUnavailable } from '#errors.ts'
import type { Answer } from '../answer.ts'
import { ApiProblem, answerProblem, apiPaths, fromPage } from '../api/problem.ts'
import type { Context, Next } from '../context.ts'
import { home, type NextStep, Problem } from '../problem.ts'

export function errors(answer: Answer) {
  return async (ctx: Context, next: Next) => {
    try {
      await next()
      if (ctx.status === 404 && ctx.body == null) throw new Problem(404, 'not-found')
      if (ctx.status === 405 && !ctx.body) throw new Problem(405, 'method')
    } catch (error) {
      if (apiPaths.test(ctx.path)) return refuseCall(ctx, error)
      const problem = asProblem(error)
      const { log } = ctx.state
      const line = { problem: problem.key, err: problem.cause }
      if (problem.status >= 500) log.error(line, 'problem')
      else log.info(line, 'problem')
      const unasked = problem.status >= 500 || problem.status === 429
      if (unasked && readByApps(ctx.path)) return answerMachine(ctx, problem)
      const { next: steps = waysOn(ctx, problem) } = problem.options
      answer.problem(
        ctx,
        new Problem(problem.status, problem.key, { ...problem.options, next: steps }),
      )
    }
  }
}

/** Endpoints nobody opens in a browser: an app reads JSON (RFC 6749 §5.2). */
export const machines = /^\/(token|request|me|jwks|device\/auth|api|reg|\.well-known)(\/|$)/

/** Those, and our own that answer to a bearer token. */
const readByApps = (path: string) => machines.test(path) || path.startsWith('/eduinfo/')

function refuseCall(ctx: Context, error: unknown) {
  const problem = error instanceof ApiProblem ? error : fromPage(asProblem(error))
  const line = { problem: `api.${problem.kind}`, err: problem.cause }
  answerProblem(ctx, problem)
  ctx.state.log[ctx.status >= 500 ? 'error' : 'info'](line, 'problem')
}

function answerMachine(ctx: Context, { status, key, options: { retryAfterSeconds } }: Problem) {
  ctx.status = status
  if (retryAfterSeconds) ctx.set('Retry-After', String(retryAfterSeconds))
  const error =
    status < 500 && status !== 429
      ? 'invalid_request'
      : retryAfterSeconds
        ? 'temporarily_unavailable'
        : 'server_error'
  ctx.body = { error, error_description: `${key}, reference ${ctx.state.ref}` }
}

/** Back to the question this form belonged to, if it belonged to one; and to the form itself, if it was too much. */
function waysOn({ state: { pageUrl } }: Context, { status }: Problem): NextStep[] {
  if (pageUrl && status === 413) {
    return [{ id: 'back', kind: 'link', href: pageUrl, labelKey: 'next.form', primary: true }, home]
  }
  if (!pageUrl?.startsWith('/interaction/')) return [home]
  return [
    { id: 'sign-in', kind: 'link', href: pageUrl, labelKey: 'next.sign-in', primary: true },
    home,
  ]
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof BusyError || isUnavailable(error)) {
    const seconds = error instanceof BusyError ? error.retryAfterSeconds : 2
    return new Problem(503, 'busy', {
      params: { seconds: String(seconds) },
      retryAfterSeconds: seconds,
      cause: error,
    })
  }
  // Broken percent-encoding and the like, found by Koa or the router.
  if (error instanceof Error && 'status' in error && error.status === 400) {
    return new Problem(400, 'not-found', { cause: error })
  }
  return new Problem(500, 'server', { cause: error })
}
