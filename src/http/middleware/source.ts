/** Whose request it is: the address that connected or, where a proxy of ours did, the one it says it serves. */
import { isIPv4 } from 'node:net'
import { isWithin, type Network, readAddress } from '#lib/networks.ts'
import type { Context, Next } from '../context.ts'

export function source(trusted: readonly Network[]) {
  return (ctx: Context, next: Next) => {
    const { socket, headers } = ctx.req
    // Nothing is left of an address when the client hung up already.
    ctx.state.source = sourceOf(
      socket.remoteAddress ?? 'unknown',
      headers['x-forwarded-for'],
      trusted,
    )
    return next()
  }
}

/**
 * Read from the right: each proxy adds whom it heard from at the end, and what stands before the first one we do not
 * know could have been written by anybody. A list that cannot be read counts as the proxy's own request: everybody
 * behind it then shares its limits, which an operator notices, and nobody gets round them.
 */
export function sourceOf(
  peer: string,
  forwarded: string | string[] | undefined,
  trusted: readonly Network[],
): string {
  if (trusted.length === 0 && isIPv4(peer)) return peer
  const connected = readAddress(peer)
  if (!connected) return peer
  const own = connected.toString()
  if (forwarded === undefined || !isWithin(trusted, connected)) return own
  let client = own
  for (const entry of String(forwarded).split(',').reverse()) {
    const address = readAddress(entry)
    if (!address) return own
    client = address.toString()
    if (!isWithin(trusted, address)) break
  }
  return client
}
