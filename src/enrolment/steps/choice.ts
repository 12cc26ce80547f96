/** One of several, once: what the steps after it depend on. */
import type { Step } from '../step.ts'

export const choice: Step<'choice'> = {
  known({ step, facts }) {
    return facts[step.fact] === undefined ? undefined : { facts: {} }
  },
  show: ({ step, before }) => ({
    locals: { fact: step.fact, options: step.options, chosen: before[step.fact] },
  }),
  async submit({ step }, { fields }) {
    const chosen = step.options.find(({ value }) => value === fields[step.fact])
    if (!chosen)
      return { kind: 'again', problems: [{ field: step.fact, problem: 'joining.choice.none' }] }
    return { kind: 'done', facts: { [step.fact]: chosen.value } }
  },
  summary({ step, before }) {
    const chosen = step.options.find(({ value }) => value === before[step.fact])
    return chosen ? [{ label: step.title ?? 'joining.choice.title', value: chosen.label }] : []
  },
}
