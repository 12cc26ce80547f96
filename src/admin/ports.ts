/** What is lent to everything staff can do; the house has all of it. */
import type { Provider } from 'oidc-provider'
import type { Counters } from '#accounts/counters.ts'
import type { PasswordRules } from '#accounts/password-rules.ts'
import type { Passwords } from '#accounts/passwords.ts'
import type { RecoveryPorts } from '#accounts/recovery.ts'
import type { Config } from '#config/load.ts'
import type { Connector } from '#federation/connector.ts'
import type { HealthBoard } from '#federation/health-board.ts'
import type { WriteLetter } from '#lib/letter.ts'
import type { Log } from '#lib/log.ts'
import type { Now } from '#lib/time.ts'
import type { KeyEncryption } from '#oidc/key-encryption.ts'
import type { Keys } from '#oidc/keys.ts'
import type { Store } from '#store/store.ts'
import type { Examination } from './doctor.ts'

export type AdminPorts = {
  config: Config
  store: Store
  readonly provider: Provider
  keys: Keys
  keyEncryption: KeyEncryption
  passwords: Passwords
  judgePassword: PasswordRules
  writeLetter: WriteLetter
  upstreamHealth: HealthBoard
  upstreams: Upstreams
  /** Encodes anew what people send in. */
  pictures: Pictures
  recovery: RecoveryPorts
  /** Counters for all limits, of sign-ins among others. */
  limits: { counters: Counters; rules: Config['site']['limits'] }
  /** The guarded client. */
  fetch: typeof fetch
  /** Looks at everything a sign-in needs: takes seconds. */
  examine(): Promise<Examination>
  background: Background
  log: Log
  now: Now
}

export type Pictures = {
  encode(bytes: Buffer): Promise<Encoded>
}
type Encoded =
  | { kind: 'picture'; type: string; bytes: Buffer }
  | { kind: 'refused'; why: 'not-a-picture' | 'too-large' | 'broken' }

/** Background work that a request may start. */
export type Background = {
  /** The outbox has something due. */
  deliver(): void
  /** Runs a job now, in this process. False when it runs elsewhere; rejects with the job's own error. */
  run(job: string): Promise<boolean>
  /** Reads the key ring again at once, after a change. Never rejects. */
  lookAtKeys(): Promise<void>
}

/** The upstreams, also those people may not use at the moment. */
export type Upstreams = {
  /** All that have credentials, without the circuit breaker: what they answer does not count as their health. */
  opened: ReadonlyMap<string, Connector>
  /** Those that are open by their dates, also those staff switched off: what they answer counts as their health. */
  today: ReadonlyMap<string, Connector>
}
