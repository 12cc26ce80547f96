/** The name an upstream gives a person (SAML Core 2.0 §8.3). */
import { Fault } from '../../calls/fault.ts'
import type { NameId } from './messages.ts'
import { atMostOne, attribute, textOf } from './xml.ts'

const formats = 'urn:oasis:names:tc:SAML:2.0:nameid-format:'
export const persistent = `${formats}persistent`
export const transient = `${formats}transient`
const unspecified = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified'

export function nameIdIn(holder: Element): NameId | undefined {
  const found = atMostOne(holder, 'assertion', 'NameID')
  if (!found) return undefined
  return {
    value: textOf(found),
    format: attribute(found, 'Format') ?? unspecified,
    nameQualifier: attribute(found, 'NameQualifier'),
    spNameQualifier: attribute(found, 'SPNameQualifier'),
  }
}

export type LinkKeyRules = { format: string; issuer: string; ownEntityId: string }

/** The name as the key of a link: of the format we asked for, and hers for good. */
export function linkKey(nameId: NameId | undefined, rules: LinkKeyRules): string {
  if (!nameId?.value) throw new Fault('nonsense', 'it has no NameID')
  const { value, format, nameQualifier, spNameQualifier } = nameId
  if (format === transient)
    throw new Fault('nonsense', 'its NameID is transient: another one at each sign-in')
  if (format !== rules.format)
    throw new Fault('nonsense', 'its NameID is not of the format settings.name_id_format says')
  // Scoped to others it may be another person's, letter by letter (§8.3.7).
  const ours = [undefined, rules.issuer].includes(nameQualifier)
  const forUs = [undefined, rules.ownEntityId].includes(spNameQualifier)
  if (format === persistent && !(ours && forUs))
    throw new Fault('forged', 'its NameID is one of another upstream, or for somebody else')
  return value
}
