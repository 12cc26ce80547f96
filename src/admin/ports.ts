/** What is lent to everything staff can do; the house has all of it. */
import type { Provider } from 'oidc-provider'
import type { PasswordRules } from '#accounts/password-rules.ts'
import type { Passwords } from '#accounts/passwords.ts'
import type { Config } from '#config/load.ts'
import type { HealthBoard } from '#federation/health-board.ts'
import type { WriteLetter } from '#lib/letter.ts'
import type { Log } from '#lib/log.ts'
import type { Now } from '#lib/time.ts'
import type { KeyEncryption } from '#oidc/key-encryption.ts'
import type { Keys } from '#oidc/keys.ts'
import type { Store } from '#store/store.ts'

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
  /** The guarded client. */
  fetch: typeof fetch
  log: Log
  now: Now
}
