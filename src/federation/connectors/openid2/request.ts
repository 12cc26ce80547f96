/** The authentication request (OpenID Authentication 2.0 §9.1), with what we want to know of a person. */
import type { OpenId2Settings } from '#config/connector.ts'
import { ax, identifierSelect, openid2, pape, sreg } from './namespaces.ts'

export type Asking = Pick<OpenId2Settings, 'ax' | 'sreg'> & {
  endpoint: string
  returnTo: string
  realm: string
  assocHandle: string | undefined
  /** She is to prove herself anew. */
  fresh: boolean
}

/** The address she leaves for. */
export function authenticationRequest(asking: Asking): string {
  const url = new URL(asking.endpoint)
  const fields = {
    ns: openid2,
    mode: 'checkid_setup',
    claimed_id: identifierSelect,
    identity: identifierSelect,
    ...(asking.assocHandle !== undefined && { assoc_handle: asking.assocHandle }),
    return_to: asking.returnTo,
    realm: asking.realm,
    ...sregRequest(asking.sreg),
    ...axRequest(asking.ax),
    ...(asking.fresh && papeRequest),
  }
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(`openid.${name}`, value)
  return url.href
}

/** Simple Registration 1.1 §3. `required`: there are providers that leave out what is only optional. */
const sregRequest = (fields: readonly string[]) =>
  fields.length === 0 ? {} : { 'ns.sreg': sreg[0], 'sreg.required': fields.join(',') }

/** Attribute Exchange 1.0 §5.1. */
function axRequest(types: string[]): Record<string, string> {
  if (types.length === 0) return {}
  const named = types.map((type, at) => [`a${at + 1}`, type] as const)
  return {
    'ns.ax': ax,
    'ax.mode': 'fetch_request',
    ...Object.fromEntries(named.map(([alias, type]) => [`ax.type.${alias}`, type])),
    'ax.required': named.map(([alias]) => alias).join(','),
  }
}

/** Provider Authentication Policy Extension 1.0 §5.1: it must see her now. */
const papeRequest = {
  'ns.pape': pape,
  'pape.max_auth_age': '0',
  'pape.preferred_auth_policies': '',
}
