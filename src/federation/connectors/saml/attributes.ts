/** What an assertion says of a person (SAML Core 2.0 §2.7.3). */
import type { Claims } from '../../profile.ts'
import { attribute, children, textOf } from './xml.ts'

/** More nobody has. */
const mostAttributes = 200
const mostValues = 100

/** By name: a value, or a list where several came. Empty ones are left out. */
export function attributesIn(assertion: Element): Claims {
  const found = new Map<string, string[]>()
  const all = children(assertion, 'assertion', 'AttributeStatement').flatMap((statement) =>
    children(statement, 'assertion', 'Attribute'),
  )
  for (const one of all.slice(0, mostAttributes)) {
    const name = attribute(one, 'Name') ?? ''
    const values = children(one, 'assertion', 'AttributeValue').map(textOf).filter(Boolean)
    if (name && values.length > 0) found.set(name, [...(found.get(name) ?? []), ...values])
  }
  return Object.fromEntries(
    [...found].map(([name, values]) => [
      name,
      values.length === 1 ? values[0] : values.slice(0, mostValues),
    ]),
  )
}
