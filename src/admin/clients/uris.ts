/** What may stand in an app's addresses. */
import type { ClientKind } from '#store/store.ts'

/** English for programs, and the code of a page's words. */
export type UriProblem = { message: string; code: string }

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Redirect targets are compared letter by letter (RFC 9700 §4.1.3), so nothing may stand in them that means more. */
export function uriProblem(uri: string, kind: ClientKind): UriProblem | undefined {
  const url = URL.parse(uri)
  // `https:host` is read as a path by a browser that is on https already.
  const isShort = /^https?:(?!\/\/[^/])/i.test(uri)
  if (!url || isShort || /[\s\p{Cc}<>"\\]/u.test(uri)) {
    return { message: 'is not an absolute URL', code: 'app-uri-invalid' }
  }
  if (url.hash || uri.includes('#')) {
    return { message: 'must not have a fragment (RFC 6749 §3.1.2)', code: 'app-uri-fragment' }
  }
  if (uri.includes('*')) {
    return { message: 'must not have a wildcard: list every address', code: 'app-uri-wildcard' }
  }
  if (!/^[a-z0-9.:[\]-]*$/.test(url.host)) {
    return { message: 'has a host name with characters no host name has', code: 'app-uri-host' }
  }
  if (url.username || url.password) {
    return { message: 'must not carry a user name or password', code: 'app-uri-user' }
  }
  return schemeProblem(url, kind)
}

function schemeProblem({ protocol, hostname }: URL, kind: ClientKind): UriProblem | undefined {
  if (protocol === 'https:') return undefined
  if (protocol === 'http:') {
    if (loopback.has(hostname)) return undefined
    return { message: 'must be https (http only for loopback addresses)', code: 'app-uri-https' }
  }
  if (kind !== 'native') return { message: 'must be https', code: 'app-uri-https' }
  // RFC 8252 §7.1: a private scheme is a domain name backwards; javascript: and data: are none.
  if (/^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(protocol)) return undefined
  const message = 'must use https or a reverse-domain scheme such as tw.gov.example:/callback'
  return { message, code: 'app-uri-scheme' }
}
