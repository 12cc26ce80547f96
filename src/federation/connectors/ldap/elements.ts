/**
 * What a directory sends, taken apart strictly (BER as RFC 4511 §5.1 narrows it). Of our own, as the connection is:
 * ldapts' client connects again by itself when a connection breaks, after StartTLS in the clear, and its parser never
 * comes back from an entry without attributes.
 */
import { Fault } from '../../calls/fault.ts'

export type Element = { tag: number; body: Buffer }

/** Definite lengths of up to four bytes, tags of one. */
function headerAt(
  bytes: Buffer,
  at: number,
): { tag: number; begin: number; end: number } | undefined {
  const tag = bytes[at]
  const first = bytes[at + 1]
  if (tag === undefined || first === undefined) return undefined
  if ((tag & 0x1f) === 0x1f || first === 0x80 || first > 0x84)
    throw new Fault('nonsense', 'it is not BER')
  const more = first < 0x80 ? 0 : first - 0x80
  const begin = at + 2 + more
  if (bytes.length < begin) return undefined
  const length = more === 0 ? first : bytes.readUIntBE(at + 2, more)
  return { tag, begin, end: begin + length }
}

export const sequence = 0x30

/** How long the message is that begins here; undefined until enough is there to say so. */
export function messageLength(bytes: Buffer): number | undefined {
  if (bytes.length > 0 && bytes[0] !== sequence) throw new Fault('nonsense', 'it is not LDAP')
  return headerAt(bytes, 0)?.end
}

/** What stands one after the other in these bytes, and fills them. */
export function elementsIn(bytes: Buffer): Element[] {
  const found: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    const header = headerAt(bytes, at)
    if (!header || header.end > bytes.length) throw new Fault('nonsense', 'it is cut off')
    found.push({ tag: header.tag, body: bytes.subarray(header.begin, header.end) })
    at = header.end
  }
  return found
}

/** The parts of an element that must have exactly these tags, more of any kind being let pass. */
export function partsOf(element: Element | undefined, ...tags: number[]): Buffer[] {
  const parts = element ? elementsIn(element.body) : []
  return tags.map((tag, at) => {
    const part = parts[at]
    if (part?.tag !== tag) throw new Fault('nonsense', 'it is not what LDAP sends')
    return part.body
  })
}
