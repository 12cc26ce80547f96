/** XML from upstreams, read as strictly as what signs it: anything but elements and text is refused before parsing. */
import { Fault } from '../../calls/fault.ts'

export const ns = {
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
  encryption: 'http://www.w3.org/2001/04/xmlenc#',
} as const
type Namespace = keyof typeof ns

/** Of base64, as it came in a form. */
const longestEncoded = 256 * 1024
/** But for the declaration at the very beginning: elsewhere `<?xml …?>` is an instruction like any other. */
const instruction = '(?!^)<\\?|^<\\?(?!xml\\s)'
/**
 * What the kinds may hold. Messages have neither comments nor instructions: `admin<!---->@x` and `admin<?xml @x?>` are
 * one name to what signs and another to what reads. `most` is of tags and of attributes: checking a signature takes time
 * by their number, whoever sent them. An honest response has a few hundred, and this many take a fifth of a second; who
 * speaks of a logout need not have come from us, and says little.
 */
const rules = {
  message: { foreign: new RegExp(`<!|${instruction}`, 'i'), most: 2_000, longest: 256 * 1024 },
  logout: { foreign: new RegExp(`<!|${instruction}`, 'i'), most: 300, longest: 16 * 1024 },
  metadata: {
    foreign: new RegExp(`<!(?!--)|${instruction}`, 'i'),
    most: 20_000,
    longest: 256 * 1024,
  },
}

/** The text of what came as base64. */
export function decode(encoded: string): string {
  if (encoded.length > longestEncoded) throw new Fault('nonsense', 'it is longer than 256 KB')
  // First without its spaces: a pattern with room for them in two places takes minutes over a text of spaces.
  const dense = encoded.replace(/\s+/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(dense)) throw new Fault('nonsense', 'it is no base64')
  return utf8(Buffer.from(dense, 'base64'))
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
  const { foreign, most, longest } = rules[as]
  if (text.length > longest) throw new Fault('nonsense', `it is longer than ${longest / 1024} KB`)
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

export const isElement = (node: Node): node is Element => node.nodeType === 1

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

/** Without the white space of a layout, which is XML's and no other: `王` and `王　` are two names. */
export const textOf = (one: Element): string =>
  (one.textContent ?? '').replace(/^[ \t\r\n]+|(?<![ \t\r\n])[ \t\r\n]+$/g, '')

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

/** For text and for attributes in double quotes. */
export const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (one) => entities[one] ?? '')
