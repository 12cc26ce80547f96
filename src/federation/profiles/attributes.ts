/** Attributes by type URI, as OpenID 2.0 brings them, under the short names staff know. */
import type { Claims } from '../profile.ts'
import type { Sent } from './schools.ts'
import { asList, isBlank } from './shape.ts'

/** Under `name`, what the first of these says that says something; several values stay a list. */
export const sentIn =
  (attributes: Claims = {}) =>
  (name: string, ...types: string[]): Sent => {
    const said = types.map((type) => attributes[type]).find((value) => !isBlank(value))
    const values = asList(said)
    return [name, values.length > 1 ? values : values[0]]
  }
