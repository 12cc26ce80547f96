/** What the composition root hands to the http room. */
import type { Provider } from 'oidc-provider'
import type { Passwords } from '#accounts/passwords.ts'
import type { Config } from '#config/load.ts'
import type { TripPorts } from '#interaction/trips.ts'
import type { Log } from '#lib/log.ts'
import type { Metrics } from '#lib/measure.ts'
import type { Messages } from '#lib/messages.ts'
import type { Now } from '#lib/time.ts'
import type { Tracing } from '#lib/tracing.ts'
import type { KeyEncryption } from '#oidc/key-encryption.ts'
import type { Keys } from '#oidc/keys.ts'
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
  keys: Keys
  keyEncryption: KeyEncryption
  trips: TripPorts
  passwords: Passwords
  limits: Limits
  clientLimits: ClientLimits
  knownDevices: KnownDevices
  messages: Messages
  assets: Assets
  answer: Answer
  log: Log
  metrics: Metrics
  tracing: Tracing
  health: Health
  now: Now
  cookies: Record<'session' | 'interaction' | 'device' | 'known' | 'county' | 'language', string>
}
