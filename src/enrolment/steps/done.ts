/** What is said at the end. It asks nothing: the engine shows it when everything is answered. */
import type { Step } from '../step.ts'

export const done: Step<'done'> = {
  show: ({ step }) => ({ locals: { text: step.text } }),
  submit: async () => ({ kind: 'done' }),
}
