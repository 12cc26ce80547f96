/** What steps are lent: time, chance, what others know, and machines. */
import type { Counters } from '#accounts/counters.ts'
import type { Passwords } from '#accounts/passwords.ts'
import type { ConnectorConfig } from '#config/connector.ts'
import type { Words } from '#config/words.ts'
import type { Message } from '#lib/messages.ts'
import type { ProofOfWork } from '#lib/proof-of-work.ts'
import type { Terms } from '#lib/terms.ts'
import type { IdentifierType } from '#store/store.ts'

export type StepPorts = {
  /** Six digits nobody can guess. */
  randomCode: () => string
  /** Keys what must be compared and not read: codes. */
  codeKey: Buffer
  passwords: Pick<Passwords, 'hash' | 'verify'>
  /** What is wrong with a new password, or nothing. */
  judgePassword: (password: string, about: string[]) => Promise<Message | undefined>
  /** Whether somebody signs in with this name, unless it is this account. */
  isTaken: (type: IdentifierType, value: string, unless?: string) => Promise<boolean>
  /** Absolute: where a password is reset. */
  resetUrl: string
  counters: Counters
  /** Re-encodes a picture; nothing of the file itself is kept. */
  encodePicture: (
    bytes: Buffer,
  ) => Promise<
    | { kind: 'picture'; type: string; bytes: Buffer }
    | { kind: 'refused'; why: 'not-a-picture' | 'too-large' | 'broken' | 'busy' }
  >
  proofOfWork: ProofOfWork
  terms: Terms
  /** In the selector's order. */
  connectors: (Pick<ConnectorConfig, 'id' | 'keywords'> & {
    label: Words
    connected: boolean
    /** Origins its sign-in leads to. */
    origins: string[]
  })[]
}
