/** What the doctor says in English, for the API and the command line, with the keys for whoever speaks another language. */
import type { Messages } from '#lib/messages.ts'
import type { Finding } from './finding.ts'
import type { Said, Trouble } from './sayings.ts'

export type Told = Pick<Finding, 'state'> & {
  check: string
  says: string
  mend?: string
  /** The message keys these words come from. */
  keys: Omit<Finding, 'state'>
}

/** Several sentences are joined by semicolons. */
export const inEnglish = (messages: Messages, ...sentences: Said[]): string =>
  sentences.map(({ key, params }) => messages.translate('en', key, params)).join('; ')

/** A finding with its English words. */
export const tellInEnglish = (messages: Messages, { state, ...keys }: Finding): Told => ({
  check: inEnglish(messages, keys.check),
  state,
  says: inEnglish(messages, ...keys.says),
  ...(keys.mend ? { mend: inEnglish(messages, keys.mend) } : {}),
  keys,
})

/** What is wrong and how to mend it, in English. */
export const tellTrouble = (messages: Messages, { says, mend }: Trouble) => ({
  says: inEnglish(messages, ...[says].flat()),
  mend: inEnglish(messages, mend),
})
