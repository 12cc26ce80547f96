/** The load generator's HTTP client: kept connections, and the cookies of one browser. */
import { Pool } from 'undici'
import type { Site } from './site.ts'

export type Answer = {
  status: number
  location: string | undefined
  cookies: readonly string[]
  body: string
}

export type Http = {
  get(path: string, headers?: Record<string, string>): Promise<Answer>
  post(path: string, body: string, headers?: Record<string, string>): Promise<Answer>
  /** Requests sent so far. */
  sent(): number
  close(): Promise<void>
}

export function openHttp({ origin, issuer }: Pick<Site, 'origin' | 'issuer'>, connections: number) {
  const pool = new Pool(origin, { connections, bodyTimeout: 60_000, headersTimeout: 60_000 })
  const host = new URL(issuer).host
  let sent = 0

  // `dispatch` and no streams: the generator must not be what is measured.
  function send(
    method: 'GET' | 'POST',
    path: string,
    headers: Record<string, string>,
    body: string | null,
  ) {
    sent += 1
    return new Promise<Answer>((resolve, reject) => {
      const answer = { status: 0, location: undefined, cookies: [], body: '' } as Answer
      const chunks: Buffer[] = []
      pool.dispatch(
        { method, path, headers: { ...headers, host }, body },
        {
          onRequestStart() {},
          onResponseStart(_controller, status, { location, 'set-cookie': cookies = [] }) {
            answer.status = status
            answer.location = location as string | undefined
            answer.cookies = typeof cookies === 'string' ? [cookies] : cookies
          },
          onResponseData: (_controller, chunk) => void chunks.push(chunk),
          onResponseEnd() {
            const [first] = chunks
            answer.body = (chunks.length === 1 && first ? first : Buffer.concat(chunks)).toString()
            resolve(answer)
          },
          onResponseError: (_controller, error) => reject(error),
        },
      )
    })
  }

  const form = 'application/x-www-form-urlencoded'
  const http: Http = {
    get: (path, headers = {}) => send('GET', path, headers, null),
    post: (path, body, headers = {}) =>
      send('POST', path, { ...headers, 'content-type': form }, body),
    sent: () => sent,
    close: () => pool.destroy(),
  }
  return http
}

/** One browser's cookies: kept by name and path, and sent where the path allows. */
export type Browser = {
  get(path: string): Promise<Answer>
  post(path: string, body: string): Promise<Answer>
}

export function openBrowser(http: Http): Browser {
  const kept = new Map<string, { pair: string; path: string }>()

  const headers = (path: string): Record<string, string> => {
    const pairs: string[] = []
    for (const cookie of kept.values()) if (path.startsWith(cookie.path)) pairs.push(cookie.pair)
    return pairs.length > 0 ? { cookie: pairs.join('; ') } : {}
  }
  const keep = (answer: Answer) => {
    for (const line of answer.cookies) {
      const [pair = '', ...attributes] = line.split('; ')
      const name = pair.slice(0, pair.indexOf('='))
      const path = attributes.find((one) => /^path=/i.test(one))?.slice(5) ?? '/'
      const over = attributes.some((one) => /^expires=Thu, 01 Jan 1970/i.test(one))
      if (over) kept.delete(`${name} ${path}`)
      else kept.set(`${name} ${path}`, { pair, path })
    }
    return answer
  }
  return {
    get: async (path) => keep(await http.get(path, headers(path))),
    post: async (path, body) => keep(await http.post(path, body, headers(path))),
  }
}
