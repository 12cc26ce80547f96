/** The address of a call whose template names what earlier calls said: `…/school/{profile.o}`. */

import { Fault } from '../../calls/fault.ts'
import type { Claims } from '../../profile.ts'
import { asWritten, claimAt } from './claim-path.ts'

const placeholder = /\{([\w.-]+)\}/g

/** Letters, digits and a few marks: no slash, no percent sign, nothing that ends a segment or begins a query. */
const harmless = /^[\p{L}\p{N}@_.-]{1,200}$/u
/** Stays a dot segment however it is encoded (WHATWG URL). */
const dots = /^\.+$/

/** Throws where a value is missing or would lead elsewhere. */
export function fillUrl(template: string, claims: Claims): URL {
  const filled = template.replaceAll(placeholder, (_, path: string) => {
    const said = claimAt(claims, path)
    // Of several schools the first is the main one.
    const value = asWritten(Array.isArray(said) ? said[0] : said)
    if (value === undefined) throw new Fault('nonsense', `there is no ${path} to ask with`)
    if (!harmless.test(value) || dots.test(value))
      throw new Fault('nonsense', `${path} cannot stand in an address`)
    return encodeURIComponent(value)
  })
  const url = new URL(filled)
  // A template with a claim in its host name would let the upstream choose whom we call.
  if (url.origin !== new URL(template.replaceAll(placeholder, '')).origin)
    throw new Fault('nonsense', 'the address leads to another host')
  return url
}

/** Whether what it answers is of what the address names, not of whose token it is. */
export const isTemplate = (url: string): boolean => url.includes('{')
