/** When the certificate of somebody else's server expires. */
import { promises as dns, type LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import { connect, type PeerCertificate } from 'node:tls'
import { isPublicAddress } from './addresses.ts'
import { checkedLookup, OutboundError } from './fetch.ts'

export type CertificateOptions = {
  /** Origins that may be inside our network, as for the guarded client. */
  allow?: string[]
  /** Every address of a name. */
  lookup?: (hostname: string) => Promise<LookupAddress[]>
  /** From call to certificate. */
  totalMs?: number
}

/** In seconds since 1970, of a server `host:port` that speaks TLS from the first byte. Rejects with an OutboundError. */
export type CertificateExpiry = (server: string) => Promise<number>

export function openCertificates({
  allow = [],
  lookup = (hostname) => dns.lookup(hostname, { all: true }),
  totalMs = 5_000,
}: CertificateOptions = {}): CertificateExpiry {
  const allowed = new Set(allow.map((origin) => new URL(origin).host))
  return async (server) => {
    const url = URL.parse(`tls://${server}`)
    if (!url?.port) throw new OutboundError('blocked')
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const named = isIP(host) === 0
    const open = allowed.has(server) || (url.port === '443' && allowed.has(url.hostname))
    // An address in place of a name is never looked up, so it is checked here.
    if (!open && !named && !isPublicAddress(host)) throw new OutboundError('blocked')
    return new Promise((resolve, reject) => {
      const socket = connect({
        host,
        port: Number(url.port),
        ...(named ? { servername: host } : {}),
        ...(open ? {} : { lookup: checkedLookup(lookup) }),
        // It is only looked at, and one that has expired already is what we look for. Nothing is sent.
        rejectUnauthorized: false,
      })
      const timer = setTimeout(() => socket.destroy(new OutboundError('timeout')), totalMs)
      const end = (settle: () => void) => {
        clearTimeout(timer)
        settle()
        socket.destroy()
      }
      socket.once('secureConnect', () => {
        const at = expiryOf(socket.getPeerCertificate())
        end(() => (at === undefined ? reject(new OutboundError('unreachable')) : resolve(at)))
      })
      socket.once('error', (error) =>
        end(() =>
          reject(
            error instanceof OutboundError
              ? error
              : new OutboundError('unreachable', { cause: error }),
          ),
        ),
      )
    })
  }
}

function expiryOf({ valid_to: until }: Partial<PeerCertificate>): number | undefined {
  const at = Date.parse(until ?? '')
  return Number.isNaN(at) ? undefined : Math.floor(at / 1000)
}
