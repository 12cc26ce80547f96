/** What a pretend county is lent. */
import type { AdapterFactory } from 'oidc-provider'
import type { Now } from '#lib/time.ts'
import type { SandboxMemory } from './memory.ts'
import type { Switches } from './switches.ts'

export type CountyPorts = {
  sandboxPort: number
  adapter: (county: string) => AdapterFactory
  memory: SandboxMemory
  switches: Switches
  now: Now
  /** Our redirect_uri at that county. */
  citygateCallback: (county: string) => string
  /** Where a sign-out at the county may lead back to: our front page. */
  citygate: string
  onError: (error: unknown, where: string) => void
}
