/** Whether facts are as a condition wants them. */
import type { Condition } from '#config/enrolment.ts'
import type { Facts } from './step.ts'

/** `unknown`: a fact it names was not found out yet. */
export type Holds = 'yes' | 'no' | 'unknown'

export function holds(condition: Condition | undefined, facts: Facts): Holds {
  const each = Object.entries(condition ?? {}).map(([name, wanted]) => fits(facts[name], wanted))
  if (each.includes('no')) return 'no'
  return each.includes('unknown') ? 'unknown' : 'yes'
}

function fits(fact: Facts[string] | undefined, wanted: Condition[string]): Holds {
  if (fact === undefined) return 'unknown'
  if (Array.isArray(wanted)) return wanted.includes(fact) ? 'yes' : 'no'
  if (typeof wanted !== 'object') return wanted === fact ? 'yes' : 'no'
  const { below = Infinity, at_least: least = -Infinity } = wanted
  return typeof fact === 'number' && fact < below && fact >= least ? 'yes' : 'no'
}
