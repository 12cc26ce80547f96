/** Upstreams come and go on a day: before its first and after its last one is listed, and not connected. */
import type { ConnectorConfig } from '#config/connector.ts'
import { dayInTaiwan } from '#lib/terms.ts'
import type { Connector } from './connector.ts'

/** `now` in milliseconds since 1970. */
export function dayOf(
  { opens, closes }: Pick<ConnectorConfig, 'opens' | 'closes'>,
  now: number,
): 'early' | 'open' | 'over' {
  const at = now / 1000
  if (closes !== undefined && at >= dayInTaiwan(closes)) return 'over'
  return opens !== undefined && at < dayInTaiwan(opens) ? 'early' : 'open'
}

/** Those whose day it is, whenever somebody asks. */
export function openByDay(
  connectors: Map<string, Connector>,
  list: ConnectorConfig[],
  now: () => number,
): ReadonlyMap<string, Connector> {
  const dated = list.filter(({ opens, closes }) => opens !== undefined || closes !== undefined)
  if (dated.length === 0) return connectors
  const today = () => {
    const away = new Set(dated.filter((one) => dayOf(one, now()) !== 'open').map(({ id }) => id))
    return new Map([...connectors].filter(([id]) => !away.has(id)))
  }
  return {
    get size() {
      return today().size
    },
    has: (id) => today().has(id),
    get: (id) => today().get(id),
    keys: () => today().keys(),
    values: () => today().values(),
    entries: () => today().entries(),
    forEach: (each) => today().forEach(each),
    [Symbol.iterator]: () => today().entries(),
  }
}
