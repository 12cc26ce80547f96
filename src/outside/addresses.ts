/** Which addresses belong to the public internet. */
import ipaddr from 'ipaddr.js'

const globalUnicast = ipaddr.parseCIDR('2000::/3')

/** True only for addresses IANA lists as globally reachable, in every spelling that hides another address. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed.range() !== 'unicast') return false
  // IPv4-compatible ::127.0.0.1 and all else outside 2000::/3 counts as unicast there, but is routed nowhere (RFC 4291 §2.4).
  return parsed.kind() === 'ipv4' || parsed.match(globalUnicast)
}
