/** To be written. */
import type { Connector, FederationPorts } from '../connector.ts'
import type { Profile } from '../profile.ts'
import type { Opening } from '../registry.ts'

export function openOpenId2Connector(
  _opening: Opening<'openid2'>,
  _profile: Profile,
  _ports: FederationPorts,
): Connector {
  throw new Error('to be written')
}
