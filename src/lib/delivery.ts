/** How one try to reach somebody outside ended. */
export type Outcome =
  | { kind: 'delivered'; answer?: string }
  | {
      /** `refused`: he heard us and said no, so that asking for a day is of no use. */
      kind: 'failed' | 'refused'
      /** In a few words, never a secret. */
      why: string
      /** What he said, for an operator's eyes at the command line; kept nowhere. */
      answer?: string
    }
