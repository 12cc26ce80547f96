/** All that was said, to be looked at before it is sent. What stands in it the engine gathers from the other steps. */
import type { Step } from '../step.ts'

export const summary: Step<'summary'> = {
  show: () => ({ locals: {} }),
  submit: async () => ({ kind: 'done' }),
}
