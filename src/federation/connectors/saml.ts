/** To be written. */
import type { Connector, FederationPorts } from '../connector.ts'
import type { Profile } from '../profile.ts'
import type { Opening } from '../registry.ts'

export function openSamlConnector(
  _opening: Opening<'saml'>,
  _profile: Profile,
  _ports: FederationPorts,
): Connector {
  throw new Error('to be written')
}
