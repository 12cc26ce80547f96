/** The bench's command line. */
import { parseArgs } from 'node:util'
import type { Plan } from './rounds.ts'
import { people } from './site.ts'
import { type WorkloadName, workloadNames } from './workloads.ts'

export type Options = {
  plan: Plan
  sqliteOnly: boolean
  /** Some workloads were named: nothing beside them is wanted. */
  workloadsOnly: boolean
  /** Further node flags for our servers. */
  flags: string[]
  /** Starts that are timed. */
  starts: number
  /** People who sign in with a password at once. */
  crowd: number
}

/** Throws in words for whoever typed it. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      'sqlite-only': { type: 'boolean', default: false },
      workloads: { type: 'string' },
      'node-flags': { type: 'string', default: '' },
    },
  })
  const { quick } = values
  const named = values.workloads?.split(',').map((name) => name.trim())
  const unknown = named?.filter((name) => !workloadNames.some((known) => known === name)) ?? []
  if (unknown.length > 0) {
    throw new Error(`no workload ${unknown.join(', ')}; there are: ${workloadNames.join(', ')}`)
  }
  const workloads = workloadNames.filter((name: WorkloadName) => named?.includes(name) ?? true)
  const times = quick
    ? { rounds: 1, ms: 1_000, warmUpMs: 200 }
    : { rounds: 3, ms: 4_000, warmUpMs: 2_000 }
  return {
    plan: { workloads, ...times },
    sqliteOnly: values['sqlite-only'],
    workloadsOnly: named !== undefined,
    flags: values['node-flags'].split(' ').filter(Boolean),
    starts: quick ? 1 : 5,
    crowd: quick ? 20 : people,
  }
}
