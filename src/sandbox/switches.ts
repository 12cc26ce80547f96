/** The switch of each pretend county: which mode it is in, remembered over a restart. */
import type { SandboxMemory } from './memory.ts'
import { isMode, type Mode } from './modes.ts'

export type Switches = {
  get(county: string): Promise<Mode>
  set(county: string, mode: Mode): Promise<void>
}

/** Reads each switch once from memory and answers from the process afterwards. */
export function openSwitches(memory: SandboxMemory): Switches {
  const known = new Map<string, Mode>()
  const key = (county: string) => `sandbox.${county}.mode`
  return {
    async get(county) {
      const mode = known.get(county)
      if (mode) return mode
      const kept = await memory.get(key(county))
      // A switch thrown while we were reading wins over what we read.
      const found = known.get(county) ?? (isMode(kept) ? kept : 'ok')
      known.set(county, found)
      return found
    },
    async set(county, mode) {
      known.set(county, mode)
      await memory.set(key(county), mode)
    },
  }
}
