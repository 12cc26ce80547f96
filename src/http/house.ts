/** What the composition root hands to the http room. */
import type { Provider } from 'oidc-provider'
import type { PasswordRules } from '#accounts/password-rules.ts'
import type { Passwords } from '#accounts/passwords.ts'
import type { RecoveryPorts } from '#accounts/recovery.ts'
import type { SchoolYear } from '#accounts/school-year.ts'
import type { Examination } from '#admin/doctor.ts'
import type { Background, Upstreams } from '#admin/ports.ts'
import type { Config } from '#config/load.ts'
import type { Enrolments } from '#enrolment/engine.ts'
import type { HealthBoard } from '#federation/health-board.ts'
import type { TripPorts } from '#interaction/trips.ts'
import type { WriteLetter } from '#lib/letter.ts'
import type { Log } from '#lib/log.ts'
import type { Metrics } from '#lib/measure.ts'
import type { Messages } from '#lib/messages.ts'
import type { Now } from '#lib/time.ts'
import type { Tracing } from '#lib/tracing.ts'
import type { KeyEncryption } from '#oidc/key-encryption.ts'
import type { Keys } from '#oidc/keys.ts'
import type { Pictures } from '#outside/pictures.ts'
import type { Store } from '#store/store.ts'
import type { Answer } from './answer.ts'
import type { Assets } from './assets.ts'
import type { KnownDevices } from './known-devices.ts'
import type { Limits } from './limits.ts'
import type { ClientLimits } from './middleware/limits.ts'
import type { Health } from './routes/health.ts'

export type House = {
  config: Config
  store: Store
  /** Of the moment: built anew when signing keys change. One taken earlier still finds and saves, but signs with old keys. */
  readonly provider: Provider
  /** Other keys sign from now on. */
  renewProvider(): void
  keys: Keys
  keyEncryption: KeyEncryption
  trips: TripPorts
  enrolments: Enrolments
  passwords: Passwords
  judgePassword: PasswordRules
  pictures: Pictures
  limits: Limits
  clientLimits: ClientLimits
  knownDevices: KnownDevices
  messages: Messages
  /** Gives a mail its words; it still has to be queued. */
  writeLetter: WriteLetter
  recovery: RecoveryPorts
  schoolYear: SchoolYear
  /** The guarded client: nothing else reaches the network. */
  fetch: typeof fetch
  assets: Assets
  answer: Answer
  log: Log
  metrics: Metrics
  tracing: Tracing
  health: Health
  /** How upstreams fare. */
  upstreamHealth: HealthBoard
  upstreams: Upstreams
  /** Looks at everything a sign-in needs: takes seconds. */
  examine(): Promise<Examination>
  /** Set off from the front; by itself nothing of it begins. */
  background: Background
  now: Now
  cookies: Record<
    | 'session'
    | 'interaction'
    | 'device'
    | 'known'
    | 'signOut'
    | 'county'
    | 'joining'
    | 'console'
    | 'language',
    string
  >
}
