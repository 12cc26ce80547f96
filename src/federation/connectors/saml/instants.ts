/** Times in SAML: UTC, as xs:dateTime (SAML Core 2.0 §1.3.3). */
import { Fault } from '../../calls/fault.ts'
import { attribute } from './xml.ts'

export type Clock = {
  /** Milliseconds since 1970. */
  now: number
  /** How far theirs may be from it. */
  skewMs: number
}

/** A message is sent when it is made. */
export const oldestMs = 5 * 60 * 1000

const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** Milliseconds since 1970, or undefined where the attribute is not there. */
export function instantOf(one: Element, name: string): number | undefined {
  const text = attribute(one, name)
  if (text === undefined) return undefined
  const at = shape.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw new Fault('nonsense', `${name} is no time`)
  return at
}

export function requiredInstant(one: Element, name: string): number {
  const at = instantOf(one, name)
  if (at === undefined) throw new Fault('nonsense', `${one.localName} has no ${name}`)
  return at
}

/** It was made just now. */
export function checkMadeNow(one: Element, { now, skewMs }: Clock): void {
  const made = requiredInstant(one, 'IssueInstant')
  if (made > now + skewMs) throw new Fault('forged', `${one.localName} is from the future`)
  if (made < now - oldestMs - skewMs) throw new Fault('forged', `${one.localName} is too old`)
}

/** NotBefore and NotOnOrAfter, where they are. */
export function checkWindow(one: Element, { now, skewMs }: Clock): void {
  const from = instantOf(one, 'NotBefore')
  const until = instantOf(one, 'NotOnOrAfter')
  if (from !== undefined && from > now + skewMs)
    throw new Fault('forged', `${one.localName} is not valid yet`)
  if (until !== undefined && until <= now - skewMs)
    throw new Fault('forged', `${one.localName} has expired`)
}

/** Seconds since 1970 after which nothing made before now is taken any more. */
export const forgottenAt = ({ now, skewMs }: Clock): number =>
  Math.ceil((now + oldestMs + 2 * skewMs) / 1000)

export const instant = (at: number): string => new Date(at).toISOString()
