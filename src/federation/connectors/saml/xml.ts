/** XML from upstreams, read as strictly as what signs it: anything but elements and text is refused before parsing. */
import { Fault } from '../oidc/fault.ts'

export const ns = {
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
  encryption: 'http://www.w3.org/2001/04/xmlenc#',
} as const
type Namespace = keyof typeof ns

/** Of base64, as it came in a form. */
const longest = 256 * 1024
/**
 * What the two kinds may hold. Messages have no comments: `admin<!---->@x` is one name to what signs and another to
 * what reads. `most` is of tags and of attributes: checking a signature takes time by their number, whoever sent them;
 * an honest message has a few hundred, and this many take half a second.
 */
const rules = {
  message: { foreign: /<!|<\?(?!xml\s)/i, most: 2_000 },
  metadata: { foreign: /<!(?!--)|<\?(?!xml\s)/i, most: 20_000 },
}

/** The text of what came as base64. */
export function decode(encoded: string): string {
  if (encoded.length > longest) throw new Fault('nonsense', 'it is longer than 256 KB')
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(encoded)) throw new Fault('nonsense', 'it is no base64')
  return utf8(Buffer.from(encoded, 'base64'))
}

export function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Fault('nonsense', 'it is not UTF-8')
  }
}

/** The root element. */
export async function parseXml(text: string, as: keyof typeof rules): Promise<Element> {
  const { foreign, most } = rules[as]
  if (foreign.test(text))
    throw new Fault('nonsense', 'it holds a DOCTYPE, an ENTITY or another thing that has no place')
  if (text.split('<').length > most || text.split('=').length > most)
    throw new Fault('nonsense', 'it has too many elements')
  const { DOMParser } = await import('@xmldom/xmldom')
  // Without the parser's words: they quote what it stumbled over.
  const refuse = () => {
    throw new Fault('nonsense', 'it is not well-formed XML')
  }
  const errorHandler = { warning: refuse, error: refuse, fatalError: refuse }
  const root = new DOMParser({ errorHandler }).parseFromString(text, 'text/xml')?.documentElement
  return root ?? refuse()
}

export const isNamed = (one: Element, space: Namespace, name: string): boolean =>
  one.localName === name && one.namespaceURI === ns[space]

const isElement = (node: Node): node is Element => node.nodeType === 1

export const childrenOf = (one: Element): Element[] => Array.from(one.childNodes).filter(isElement)

export const children = (one: Element, space: Namespace, name: string): Element[] =>
  childrenOf(one).filter((child) => isNamed(child, space, name))

/** Anywhere below. */
export const descendants = (one: Element, space: Namespace, name: string): Element[] =>
  Array.from(one.getElementsByTagNameNS(ns[space], name))

/** Which of two counts is what an attacker would like two readers to disagree on. */
export function atMostOne(one: Element, space: Namespace, name: string): Element | undefined {
  const [first, ...more] = children(one, space, name)
  if (more.length > 0) throw new Fault('nonsense', `${name} comes more than once`)
  return first
}

export function only(one: Element, space: Namespace, name: string): Element {
  const found = atMostOne(one, space, name)
  if (!found) throw new Fault('nonsense', `it has no ${name}`)
  return found
}

export const attribute = (one: Element, name: string): string | undefined =>
  one.hasAttribute(name) ? (one.getAttribute(name) ?? undefined) : undefined

export const textOf = (one: Element): string => (one.textContent ?? '').trim()

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

/** For text and for attributes in double quotes. */
export const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (one) => entities[one] ?? '')
