/** What the composition root hands to the http room. */
import type { Provider } from 'oidc-provider'
import type { Passwords } from '#accounts/passwords.ts'
import type { Config } from '#config/load.ts'
import type { TripPorts } from '#interaction/trips.ts'
import type { Log } from '#lib/log.ts'
import type { Messages } from '#lib/messages.ts'
import type { Now } from '#lib/time.ts'
import type { Keys } from '#oidc/keys.ts'
import type { Store } from '#store/store.ts'
import type { Answer } from './answer.ts'
import type { Assets } from './assets.ts'

export type House = {
  config: Config
  store: Store
  provider: Provider
  keys: Keys
  trips: TripPorts
  passwords: Passwords
  messages: Messages
  assets: Assets
  answer: Answer
  log: Log
  now: Now
  cookies: Record<'session' | 'interaction' | 'device' | 'county' | 'language', string>
}
