/** Addresses and networks as text: read strictly, compared by number. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export type Address = ReturnType<typeof ipaddr.process>
export type Network = { address: Address; bits: number }

/** An address as the network means it: without zone, IPv4 inside IPv6 as IPv4. Undefined for any other text. */
export function readAddress(text: string): Address | undefined {
  const before = read.get(text)
  if (before) return before
  const bare = text.trim().replace(/%.*$/, '')
  if (isIP(bare) === 0) return undefined
  const address = ipaddr.process(bare)
  if (read.size >= 1_000) read.clear()
  read.set(text, address)
  return address
}

/** The proxy's address comes with every request, and its clients' again and again. */
const read = new Map<string, Address>()

/** An address, or a network as `address/bits`. Undefined for any other text, and for everybody (`/0`). */
export function readNetwork(text: string): Network | undefined {
  const [host = '', length, ...rest] = text.trim().split('/')
  const address = readAddress(host)
  if (!address || rest.length > 0) return undefined
  const most = address.kind() === 'ipv4' ? 32 : 128
  if (length === undefined) return { address, bits: most }
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8.
  const bits = Number(length) - (host.includes(':') ? 128 - most : 0)
  return /^\d{1,3}$/.test(length) && bits > 0 && bits <= most ? { address, bits } : undefined
}

export function isWithin(networks: readonly Network[], one: Address): boolean {
  return networks.some(
    ({ address, bits }) =>
      address.kind() === one.kind() && (one as ipaddr.IPv6).match(address as ipaddr.IPv6, bits),
  )
}

const start = (address: Address, v4: number, v6: number): string =>
  address.kind() === 'ipv4'
    ? ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/${v4}`).toString()
    : ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${v6}`).toString()

/** Whom a limit counts as one: an IPv4 address, or the /64 a household or a host has of IPv6 for itself. */
export const neighbourhood = (text: string): string => {
  // Every request comes by here, and few of them over IPv6.
  const address = text.includes(':') ? readAddress(text) : undefined
  return address ? start(address, 32, 64) : text
}

/** Where from, without who: what a log may keep (/24 of IPv4, /48 of IPv6). */
export const region = (text: string): string => {
  const address = readAddress(text)
  return address ? start(address, 24, 48) : text
}
