/** The switch of each pretend county: which mode it is in, remembered over a restart. */
import type { SandboxMemory } from './memory.ts'
import { isMode, type Mode } from './modes.ts'

export type Switches = {
  get(county: string): Promise<Mode>
  set(county: string, mode: Mode): Promise<void>
}

/** Read from memory each time: the directory runs in every process, the page with the switches in one. */
export function openSwitches(memory: SandboxMemory): Switches {
  const key = (county: string) => `sandbox.${county}.mode`
  return {
    async get(county) {
      const kept = await memory.get(key(county))
      return isMode(kept) ? kept : 'ok'
    },
    set: (county, mode) => memory.set(key(county), mode),
  }
}
