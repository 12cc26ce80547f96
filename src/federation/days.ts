/** Upstreams come and go on a day: before its first and after its last one is listed, and not connected. */
import type { ConnectorConfig } from '#config/connector.ts'
import { dayInTaiwan } from '#lib/terms.ts'
import type { Connector } from './connector.ts'
import { whenever } from './whenever.ts'

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
  connectors: ReadonlyMap<string, Connector>,
  list: ConnectorConfig[],
  now: () => number,
): ReadonlyMap<string, Connector> {
  const dated = new Map(
    list
      .filter(({ opens, closes }) => opens !== undefined || closes !== undefined)
      .map((one) => [one.id, one]),
  )
  if (dated.size === 0) return connectors
  return whenever(connectors, (id) => {
    const file = dated.get(id)
    return !file || dayOf(file, now()) === 'open'
  })
}
