/** Whether an entry fits an LDAP filter: what the filters of connector files need, compared without case. */
import {
  AndFilter,
  EqualityFilter,
  type Filter,
  NotFilter,
  OrFilter,
  PresenceFilter,
  SubstringFilter,
} from 'ldapts'

export type Attributes = Record<string, (string | Buffer)[]>

export function fits(filter: Filter, attributes: Attributes): boolean {
  const valuesOf = (name: string) =>
    Object.entries(attributes)
      .filter(([key]) => key.toLowerCase() === name.toLowerCase())
      .flatMap(([, values]) => values.map((value) => value.toString().toLowerCase()))
  if (filter instanceof AndFilter) return filter.filters.every((one) => fits(one, attributes))
  if (filter instanceof OrFilter) return filter.filters.some((one) => fits(one, attributes))
  if (filter instanceof NotFilter) return !fits(filter.filter, attributes)
  if (filter instanceof PresenceFilter) return valuesOf(filter.attribute).length > 0
  if (filter instanceof EqualityFilter)
    return valuesOf(filter.attribute).includes(filter.value.toString().toLowerCase())
  if (filter instanceof SubstringFilter) {
    const { attribute, initial, final } = filter
    return valuesOf(attribute).some(
      (value) => value.startsWith(initial.toLowerCase()) && value.endsWith(final.toLowerCase()),
    )
  }
  return false
}
