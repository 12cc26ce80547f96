/** The same page once more, with one thing that is wrong. */
import type { Message } from '#lib/messages.ts'
import type { Outcome } from './step.ts'

export type Again = Extract<Outcome, { kind: 'again' }>

/** `at`: the field it belongs to; left out, it is about the whole page. */
export const slip = (
  problem: Message,
  { at, waitSeconds }: { at?: string | undefined; waitSeconds?: number } = {},
): Again => ({
  kind: 'again',
  problems: [at === undefined ? { problem } : { field: at, problem }],
  ...(waitSeconds ? { waitSeconds } : {}),
})
