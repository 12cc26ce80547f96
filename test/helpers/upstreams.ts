/** A canned upstream in place of a county's, or of none. */
import type { Connector } from '#federation/connector.ts'
import type { World } from './world.ts'

/** People are sent there, tests are run there, and what it says of sign-outs is heard. */
export function connectUpstream({ house }: Pick<World, 'house'>, connector: Connector): void {
  for (const map of Object.values(house.upstreams))
    (map as Map<string, Connector>).set(connector.id, connector)
}
