/** Attribute Exchange 1.0 §5.2: values by type URI. */
import type { Fields } from './fields.ts'

/** More values of one attribute nobody has. */
const most = 50

export type Attribute = [type: string, value: string | string[]]

/** Fields without their alias: `type.a1`, `count.a1`, `value.a1`, `value.a1.1`. */
export function readAx(fields: Fields): Attribute[] {
  // A store_response or a failure holds no values.
  if ((fields.get('mode') ?? 'fetch_response') !== 'fetch_response') return []
  return [...fields].flatMap(([name, type]): Attribute[] => {
    const alias = /^type\.(.+)$/.exec(name)?.[1]
    if (alias === undefined || type.length > 255 || !URL.canParse(type)) return []
    const values = readValues(fields, alias)
    const [only] = values
    return only === undefined ? [] : [[type, values.length === 1 ? only : values]]
  })
}

/** Some write `value.a1.1` although no count was asked for and none is said. */
function readValues(fields: Fields, alias: string): string[] {
  const one = fields.get(`value.${alias}`)
  const count = fields.get(`count.${alias}`)
  if (one !== undefined && count === undefined) return [one]
  const said = /^\d{1,4}$/.test(count ?? '') ? Number(count) : most
  const values: string[] = []
  for (let at = 1; at <= Math.min(said, most); at++) {
    const value = fields.get(`value.${alias}.${at}`)
    if (value === undefined) break
    values.push(value)
  }
  return values
}
