/** What a directory's entry says of a person, as text. */

import { Fault } from '../../calls/fault.ts'
import type { Claims } from '../../profile.ts'
import type { DirectoryEntry } from './answers.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes that are text for some people by chance: always written the same way. */
const binary = new Set(['objectguid', 'objectsid', 'msexchmailboxguid', 'ms-ds-consistencyguid'])
const guids = new Set(['objectguid', 'msexchmailboxguid', 'ms-ds-consistencyguid'])

export type EntryText = {
  /** By the names they were asked for: a value, or a list where several came. */
  attributes: Claims
  /** Asked for, and not text. */
  unread: string[]
}

/** The attributes asked for that have a value. Photographs and other bytes are left out, and named. */
export function readAttributes(entry: DirectoryEntry, names: string[]): EntryText {
  const attributes: Claims = {}
  const unread: string[] = []
  for (const name of names) {
    const values = valuesOf(entry, name)
    const texts = values.flatMap((value) => asText(name, value) ?? [])
    if (texts.length < values.length) unread.push(name)
    if (texts.length > 0) attributes[name] = texts.length === 1 ? texts[0] : texts
  }
  return { attributes, unread }
}

/** Who she is. One value, or nobody: of two, a directory may send either first. */
export function readSubject(entry: DirectoryEntry, name: string): string {
  const values = valuesOf(entry, name)
  const [value] = values
  if (!value || values.length > 1) throw new Fault('nonsense', `an entry needs one ${name}`)
  const subject = asText(name, value) ?? value.toString('hex')
  if (!subject.trim() || subject.length > 255)
    throw new Fault('nonsense', `an entry needs one ${name}`)
  return subject
}

/** Names are compared without case (RFC 4512 §2.5). */
function valuesOf(entry: DirectoryEntry, name: string): Buffer[] {
  const wanted = name.toLowerCase()
  return entry.attributes
    .filter((attribute) => attribute.name.toLowerCase() === wanted)
    .flatMap(({ values }) => values)
}

function asText(name: string, value: Buffer): string | undefined {
  const plain = name.toLowerCase()
  if (guids.has(plain) && value.length === 16) return guidText(value)
  if (binary.has(plain)) return value.toString('hex')
  if (plain.endsWith(';binary')) return undefined
  try {
    const text = utf8.decode(value)
    return /[^\P{Cc}\n\r\t]/u.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** As Windows writes it: the first three groups have their bytes turned round. */
function guidText(bytes: Buffer): string {
  const turned = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map((at) => bytes[at] ?? 0)
  const hex = Buffer.from(turned).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
