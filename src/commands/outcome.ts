/** What an operation answers, at the command line: its value, or a sentence and an exit code. */
import type { z } from 'zod'
import type { Operation } from '#admin/operation.ts'
import { operatorBy } from '#admin/staff.ts'
import type { House } from '#http/house.ts'
import { exits, operator, rejected, Stop } from './tools.ts'

/**
 * Done by the operator who typed it, who may do everything. Throws Stop where it was not done; `unknown` is what is said
 * where there is none.
 */
export async function carryOut<I extends z.ZodType, O extends z.ZodType>(
  house: House,
  one: Operation<I, O>,
  input: unknown,
  unknown = 'there is no such thing',
): Promise<z.output<O>> {
  const { perform } = await import('#admin/operation.ts')
  const outcome = await perform(house, operatorBy(operator()), one, input)
  switch (outcome.kind) {
    case 'done':
      return outcome.value
    case 'rejected':
      throw rejected(outcome.problems)
    case 'unknown':
      throw new Stop(exits.unknown, unknown)
    case 'conflict':
      throw new Stop(exits.rejected, `nothing was changed: ${outcome.why}`)
    case 'refused': {
      const title = house.messages.translate('en', `problem.admin.${outcome.why}.title`)
      const what = house.messages.translate('en', `problem.admin.${outcome.why}.what`)
      throw new Stop(exits.rejected, `nothing was changed: ${title}. ${what}`)
    }
    case 'wait':
      throw new Stop(exits.rejected, `too often: come again in ${outcome.seconds} seconds`)
    default:
      throw new Error(`an operator is ${outcome.kind}`)
  }
}
