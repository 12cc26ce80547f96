/** Those of some connectors of which something is true at the moment somebody asks. */
import type { Connector } from './connector.ts'

export function whenever(
  connectors: ReadonlyMap<string, Connector>,
  holds: (id: string) => boolean,
): ReadonlyMap<string, Connector> {
  const now = () => new Map([...connectors].filter(([id]) => holds(id)))
  return {
    get size() {
      return now().size
    },
    has: (id) => connectors.has(id) && holds(id),
    get: (id) => (holds(id) ? connectors.get(id) : undefined),
    keys: () => now().keys(),
    values: () => now().values(),
    entries: () => now().entries(),
    forEach: (each) => now().forEach(each),
    [Symbol.iterator]: () => now().entries(),
  }
}
