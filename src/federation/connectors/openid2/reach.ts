/** The network as this provider may have us see it: hosts of its file, few redirects, small answers. */
import type { OpenId2Settings } from '#config/connector.ts'
import { Fault } from '../../calls/fault.ts'
import { networkFault, reach } from '../../calls/reach.ts'
import { isHost } from '../../claimed-id.ts'

const mostRedirects = 3
/** From the first request to the last byte, however many documents lead there. */
const patienceMs = 5_000
const longestDocument = 128 * 1024
const longestAnswer = 16 * 1024

export type Document = { url: URL; contentType: string; headers: Headers; text: string }

export type Reach = {
  /** Throws unless the address is one this provider may send us to. */
  allow(address: string, base?: URL): URL
  /** Follows redirects, on allowed hosts. `signal` ends what takes too long. */
  read(url: URL, accept: string, signal: AbortSignal): Promise<Document>
  /** Direct communication (OpenID Authentication 2.0 §5.1): a form, answered with a document of few lines. */
  post(endpoint: string, form: URLSearchParams): Promise<{ status: number; text: string }>
  /** How long reading documents may take. */
  patience(): AbortSignal
}

export type ReachRules = {
  /** `*.example` for any host below it. */
  hosts: string[]
  insecure: boolean
  fetch: typeof globalThis.fetch
}

export function openReach({ hosts, insecure, fetch }: ReachRules): Reach {
  const network = reach(fetch)

  function allow(address: string, base?: URL): URL {
    const url = URL.parse(address, base)
    if (!url) throw new Fault('nonsense', 'an address of it is none')
    const secure = url.protocol === 'https:' || (insecure && url.protocol === 'http:')
    const listed = hosts.some((one) => isHost(url.host, one))
    if (!secure || !listed || url.username || url.password) {
      throw new Fault('forged', 'an address of it is on no host of its own')
    }
    return url
  }

  async function read(url: URL, accept: string, signal: AbortSignal): Promise<Document> {
    let at = url
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      const response = await network(at.href, { headers: { accept }, redirect: 'manual', signal })
      const { status, headers } = response
      const location = headers.get('location')
      if (status === 200) {
        const contentType = headers.get('content-type')?.toLowerCase() ?? ''
        return { url: at, contentType, headers, text: await textOf(response, longestDocument) }
      }
      await response.body?.cancel()
      if (![301, 302, 303, 307, 308].includes(status) || !location) {
        throw new Fault('nonsense', `answered HTTP ${status}`)
      }
      at = allow(location, at)
    }
    throw new Fault('nonsense', `redirects more than ${mostRedirects} times`)
  }

  return {
    allow,
    read,
    async post(endpoint, form) {
      const response = await fetch(allow(endpoint).href, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form.toString(),
        redirect: 'manual',
      }).catch((cause: unknown) => {
        throw networkFault(cause)
      })
      const { status } = response
      // A gateway without its server. Behind a 500 there is one, and it may do what else it is asked for.
      if ([429, 502, 503, 504].includes(status)) {
        throw new Fault('unreachable', `answered HTTP ${status}`, { status })
      }
      return { status, text: await textOf(response, longestAnswer) }
    },
    patience: () => AbortSignal.timeout(patienceMs),
  }
}

/** Of documents, endpoint and identifiers of one provider: nobody is called elsewhere. */
export const hostsOf = ({
  identifier,
  endpoint,
  hosts,
  endpoint_hosts,
}: OpenId2Settings): string[] => {
  const named = [identifier, ...(endpoint === undefined ? [] : [endpoint])]
  return [...new Set([...named.map((one) => new URL(one).host), ...hosts, ...endpoint_hosts])]
}

/** Nobody answered, or not in time. */
export const isAway = (failure: unknown): boolean =>
  failure instanceof Fault && ['unreachable', 'slow'].includes(failure.failure)

async function textOf(response: Response, longest: number): Promise<string> {
  const text = await response.text()
  if (text.length > longest) throw new Fault('nonsense', 'answered more than we read')
  return text
}
