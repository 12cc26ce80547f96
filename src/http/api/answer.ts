/** How an operation's outcome leaves us. */
import type { Barred, Operation, Outcome } from '#admin/operation.ts'
import type { Messages } from '#lib/messages.ts'
import type { Context } from '../context.ts'
import { type Holders, insufficientScope } from './holder.ts'
import { ApiProblem } from './problem.ts'
import { shapeOf } from './shape.ts'

export type AnswerPorts = {
  issuer: string
  messages: Messages
  stepUp: Holders['stepUp']
  /** What it makes can be looked at below the path it was made at. */
  creates(operation: Operation): boolean
}

/** Throws an ApiProblem for whatever is not done. */
export function answerOutcome(
  ctx: Context,
  operation: Operation,
  outcome: Outcome<unknown> | Barred,
  { issuer, messages, stepUp, creates }: AnswerPorts,
): void {
  switch (outcome.kind) {
    case 'done': {
      if (shapeOf(operation).saysNothing) {
        ctx.status = 204
        return
      }
      ctx.status = 200
      if (creates(operation)) {
        const { id } = outcome.value as { id: string }
        ctx.status = 201
        ctx.set('Location', `${issuer}${ctx.path}/${encodeURIComponent(id)}`)
      }
      ctx.type = 'application/json'
      ctx.body = JSON.stringify(outcome.value)
      return
    }
    case 'forbidden':
      throw insufficientScope(operation.permission)
    case 'not-fresh':
      throw stepUp()
    case 'rejected':
      throw new ApiProblem('rejected', { problems: outcome.problems })
    case 'unknown':
      throw new ApiProblem('unknown')
    case 'conflict':
      throw new ApiProblem('conflict', { detail: sentence(messages, outcome.why) })
    case 'refused':
      throw new ApiProblem('refused', {
        detail: sentence(messages, outcome.why),
        code: outcome.why,
      })
    case 'wait':
      throw new ApiProblem('too-many', {
        detail: `Come again in ${outcome.seconds} seconds.`,
        code: outcome.why,
        headers: { 'Retry-After': String(outcome.seconds) },
      })
  }
}

/** The words the console has for it, in English. */
function sentence(messages: Messages, why: string): string {
  const key = `problem.admin.${why}.what`
  return messages.has(key) ? messages.template('en', key) : why
}
