/** OpenID Authentication 2.0 with AX 1.0 and SREG 1.1, as a relying party of one provider. */

import { during, Fault } from '../calls/fault.ts'
import { claimedIdRules } from '../claimed-id.ts'
import type { Arrival, Connector, FederationPorts, Trip, UpstreamIdentity } from '../connector.ts'
import type { Profile } from '../profile.ts'
import type { Opening } from '../registry.ts'
import { fingerprintIn, openFormer, serverOf, unverified } from '../said.ts'
import { withoutSecrets } from '../without-secrets.ts'
import { type Association, openAssociations } from './openid2/association.ts'
import { readAttributes, type Said } from './openid2/attributes.ts'
import { openDiscovery } from './openid2/discovery.ts'
import { type Fields, readFields } from './openid2/fields.ts'
import { hostsOf, openReach } from './openid2/reach.ts'
import { authenticationRequest } from './openid2/request.ts'
import { readResponse } from './openid2/response.ts'
import { checkAuthentication, checkSignature } from './openid2/signature.ts'

/** Opens without I/O; what can fail, fails at the sign-in that needs it. */
export function openOpenId2Connector(
  { id, settings, insecure: sandbox, former, fingerprint }: Opening<'openid2'>,
  profile: Profile,
  ports: FederationPorts,
): Connector {
  const { identifier, endpoint: fixed } = settings
  const insecure = sandbox || settings.insecure
  const rules = claimedIdRules(identifier, settings)
  const formerIn = openFormer(former)
  const own = [identifier, ...(fixed === undefined ? [] : [fixed])]
  const hosts = hostsOf(settings)
  const reach = openReach({ hosts, insecure, fetch: ports.fetch })
  const discovery = openDiscovery({ connector: id, identifier, endpoint: fixed, reach, ports })
  const associations = openAssociations(reach, ports)
  const seconds = () => Math.floor(ports.now() / 1000)
  const discover = () => during(id, 'discovery', () => discovery.endpoint())

  async function begin(trip: Trip) {
    const endpoint = await discover()
    const association = await during(id, 'association', () => associations.get(endpoint))
    const returnTo = new URL(trip.callbackUrl)
    returnTo.searchParams.set('state', trip.state)
    const url = authenticationRequest({
      ...settings,
      endpoint,
      returnTo: returnTo.href,
      realm: ports.ownAddresses(id).realm,
      assocHandle: association?.handle,
      fresh: trip.fresh,
    })
    return { url, memo: { endpoint, return_to: returnTo.href, ...writeAssociation(association) } }
  }

  async function complete(arrival: Arrival, memo: Record<string, string>) {
    const { endpoint = '', return_to: returnTo = '' } = memo
    const { fields, assertion } = await during(id, 'answer', () => {
      const fields = readFields(arrival)
      const expected = { endpoint, returnTo, arrived: arrival.url, rules, now: seconds() }
      return { fields, assertion: readResponse(fields, expected) }
    })
    const { claimedId, nonce, signed } = assertion
    await during(id, 'signature', () => verify(fields, signed, endpoint, readAssociation(memo)))
    // After the signature: otherwise whoever guesses a nonce uses it up for the one whose it is.
    const fresh = await ports.firstUse(nonce.use, nonce.expiresAt)
    return during(id, 'answer', () => {
      if (!fresh) throw new Fault('forged', 'response_nonce came before')
      return identify(claimedId, readAttributes(fields, signed))
    })
  }

  /** By the association the trip went with, while it is good; else the provider is asked (§11.4). */
  async function verify(
    fields: Fields,
    signed: string[],
    endpoint: string,
    association: Association | undefined,
  ) {
    const shared = association?.handle === fields.get('assoc_handle') ? association : undefined
    if (shared && seconds() < shared.expiresAt) return checkSignature(fields, signed, shared)
    const forgotten = await checkAuthentication(fields, endpoint, reach)
    if (forgotten !== undefined) associations.forget(forgotten)
  }

  function identify(subject: string, { attributes, authTime }: Said): UpstreamIdentity {
    const said = profile({ idToken: {}, attributes })
    return {
      connector: id,
      issuer: identifier,
      subject,
      ...said,
      openid2Ids: [subject],
      ...formerIn([subject]),
      ...fingerprintIn(fingerprint, attributes),
      profile: unverified(said.profile),
      ...(authTime !== undefined && { authTime }),
      raw: withoutSecrets(attributes),
    }
  }

  return {
    id,
    origins: [
      ...new Set([
        ...hosts.flatMap((host) => [`https://${host}`, ...(insecure ? [`http://${host}`] : [])]),
        ...settings.sign_in_origins,
      ]),
    ],
    servers: [...new Set(own.filter((one) => one.startsWith('https:')).map(serverOf))],
    begin,
    complete,
    async probe() {
      await during(id, 'discovery', () => discovery.renew())
      const endpoint = await discover()
      await during(id, 'association', () =>
        fixed === undefined ? associations.get(endpoint) : associations.renew(endpoint),
      )
    },
  }
}

/** Kept with the trip: another process than the one that made it may see her come back. */
const writeAssociation = (association: Association | undefined): Record<string, string> =>
  association === undefined ? {} : { association: JSON.stringify(association) }

const readAssociation = ({ association }: Record<string, string>): Association | undefined =>
  association === undefined ? undefined : JSON.parse(association)
