/** How one try to reach somebody outside ended. */
export type Outcome =
  | { kind: 'delivered'; answer?: string }
  | {
      /** `refused`: he heard us and said no, so that asking for a day is of no use. */
      kind: 'failed' | 'refused'
      /** In a few words, never a secret: the English ones of a reason below. */
      why: string
      /** What he said, for an operator's eyes at the command line; kept nowhere. */
      answer?: string
    }

const reasons = [
  'answered',
  'blocked',
  'unreachable',
  'timeout',
  'too-large',
  'too-long',
  'stopped',
  'ended',
  'error',
  'sealed',
  'not-set',
  'no-receiver',
  'mail-address',
  'mail-answered',
  'mail-credentials',
  'mail-name',
  'mail-tls',
  'mail-timeout',
  'mail-certificate',
  'mail-unreachable',
]

/** What is kept of a try is a sentence; these are the words it is said in elsewhere. */
export const reasonKeys: readonly string[] = reasons.map((one) => `delivery.${one}`)
