/** The one client that reaches the outside: whoever names an address, it never leads into our own network. */
import { promises as dns, type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Agent, Response as Answer } from 'undici'
import { once } from '#lib/once.ts'
import { isPublicAddress } from './addresses.ts'

export type OutboundFailure = 'blocked' | 'unreachable' | 'timeout' | 'too-large'

/** One text for every failure: what a stranger may read must not tell closed from open from refused. */
export class OutboundError extends Error {
  override name = 'OutboundError'
  readonly code: OutboundFailure

  constructor(code: OutboundFailure, options?: { cause?: unknown }) {
    super('the outbound request failed', options)
    this.code = code
  }
}

export type OutboundOptions = {
  /** Exact origins that may be called although they are http, on an odd port or inside our network. */
  allow?: string[]
  /** Addresses that may be called over http, on any port. They lead into our own network no more than others. */
  plain?: (url: URL) => boolean
  /** Every address of a name. */
  lookup?: (hostname: string) => Promise<LookupAddress[]>
  connectMs?: number
  /** From call to last byte. */
  totalMs?: number
  /** Of the decoded body: a gzip bomb counts unpacked. */
  bodyBytes?: number
}

/** Ports a public https service is expected on; the URL parser drops 443. */
const ports = ['', '8443']

/** Opens the client. No redirect is followed: a 3xx is given back as it came. */
export function openGuardedFetch({
  allow = [],
  plain = () => false,
  lookup = (hostname) => dns.lookup(hostname, { all: true }),
  connectMs = 2_000,
  totalMs = 5_000,
  bodyBytes = 256 * 1024,
}: OutboundOptions = {}): typeof fetch {
  const allowed = new Set(allow.map((origin) => new URL(origin).origin))
  // Loaded by the first request that goes out: most processes start long before it.
  const client = once(async () => {
    const { Agent, fetch } = await import('undici')
    const open = new Agent({ connect: { timeout: connectMs } })
    const checked = checkedLookup(sharedLookup(lookup))
    const guarded = new Agent({ connect: { timeout: connectMs, lookup: checked } })
    return { fetch, open, guarded }
  })

  return async (input, init) => {
    const url = parse(input)
    const way = url && chooseWay(url)
    if (!way) throw new OutboundError('blocked')
    // A caller's own dispatcher (oidc-provider brings one) stays behind in this Request.
    const request = new Request(input, init)
    const limit = new AbortController()
    const timer = setTimeout(() => limit.abort(new OutboundError('timeout')), totalMs)
    try {
      const { fetch, ...dispatchers } = await client()
      const dispatcher: Agent = dispatchers[way]
      const answer = await fetch(url.href, {
        method: request.method,
        headers: [...request.headers],
        body: request.body ? await request.arrayBuffer() : null,
        redirect: 'manual',
        signal: AbortSignal.any([request.signal, limit.signal]),
        dispatcher,
      })
      return rebuild(answer, await readBody(answer, bodyBytes))
    } catch (error) {
      if (request.signal.aborted) throw request.signal.reason
      throw limit.signal.aborted ? limit.signal.reason : outboundError(error)
    } finally {
      clearTimeout(timer)
    }
  }

  function chooseWay(url: URL): 'open' | 'guarded' | undefined {
    if (url.username || url.password) return undefined
    if (allowed.has(url.origin)) return 'open'
    const expected = url.protocol === 'https:' && ports.includes(url.port)
    if (!expected && !(url.protocol === 'http:' && plain(url))) return undefined
    // An address in place of a name is never looked up, so it is checked here. The URL parser has
    // already turned 0177.1 and 2130706433 into dotted form.
    const host = url.hostname.replace(/^\[|\]$/g, '')
    return ipaddr.isValid(host) && !isPublicAddress(host) ? undefined : 'guarded'
  }
}

function parse(input: RequestInfo | URL): URL | undefined {
  return URL.parse(input instanceof Request ? input.url : input) ?? undefined
}

type Lookup = NonNullable<OutboundOptions['lookup']>

/**
 * One question at a time for each name. The system's resolver has four threads for the whole process and cannot be
 * interrupted: a county whose name server is silent would hold all of them, and with them every other county.
 */
export function sharedLookup(lookup: Lookup): Lookup {
  const asked = new Map<string, ReturnType<Lookup>>()
  return (hostname) => {
    const under = asked.get(hostname)
    if (under) return under
    const answer = lookup(hostname).finally(() => asked.delete(hostname))
    asked.set(hostname, answer)
    return answer
  }
}

/** Gives only addresses that were checked: asking twice, to check and to connect, is what DNS rebinding waits for. */
export function checkedLookup(
  resolve: (hostname: string) => Promise<LookupAddress[]>,
): LookupFunction {
  return (hostname, options, callback) => {
    const fail = (error: Error) => callback(error, '')
    resolve(hostname).then((addresses) => {
      const [first] = addresses
      // One private address among public ones spoils the name: the system picks among them as it likes.
      if (!first || !addresses.every(({ address }) => isPublicAddress(address))) {
        fail(new OutboundError('blocked'))
      } else if (options.all) callback(null, addresses)
      else callback(null, first.address, first.family)
    }, fail)
  }
}

async function readBody(answer: Answer, bodyBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let received = 0
  for await (const chunk of answer.body ?? []) {
    received += chunk.byteLength
    if (received > bodyBytes) throw new OutboundError('too-large')
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

/** The global Response, since callers ask `instanceof`. Its headers no longer speak of the encoding on the wire. */
function rebuild(answer: Answer, body: Uint8Array<ArrayBuffer>): Response {
  const headers = new Headers([...answer.headers])
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) {
    headers.delete(name)
  }
  const { status, statusText } = answer
  const bodiless = [204, 205, 304].includes(status)
  return new Response(bodiless ? null : body, { status, statusText, headers })
}

const timeouts = ['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']

function outboundError(error: unknown): OutboundError {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof OutboundError) return at
    if ('code' in at && timeouts.includes(String(at.code))) {
      return new OutboundError('timeout', { cause: error })
    }
  }
  return new OutboundError('unreachable', { cause: error })
}
