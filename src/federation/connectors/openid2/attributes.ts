/** What the provider signed of a person, by what it is and not by what the answer calls it. */
import { sregFields } from '#config/connector.ts'
import { Fault } from '../../calls/fault.ts'
import type { Claims } from '../../profile.ts'
import { type Attribute, readAx } from './ax.ts'
import type { Fields } from './fields.ts'
import { ax, pape, sreg } from './namespaces.ts'

export type Said = {
  /** AX by type URI, SREG as `sreg.<field>`: a value, or a list where several came. */
  attributes: Claims
  /** Seconds since 1970. */
  authTime?: number
}

/** Reads signed fields only: what else came along never gets here. */
export function readAttributes(fields: Fields, signed: string[]): Said {
  const only = new Map(signed.map((name) => [name, fields.get(name) ?? '']))
  const extensions = readExtensions(only)
  const of = (namespace: string) => extensions.get(namespace) ?? new Map<string, string>()
  return {
    attributes: Object.fromEntries([
      ...sreg.toReversed().flatMap((namespace) => readSreg(of(namespace))),
      ...readAx(of(ax)),
    ]),
    ...readPape(of(pape)),
  }
}

/**
 * Fields by the namespace their alias stands for (OpenID Authentication 2.0 §12): providers swap `ext1` and `ext2`.
 * One alias a namespace: with two, which of them counts is for the one who wrote the second.
 */
function readExtensions(fields: Fields): Map<string, Fields> {
  const extensions = new Map<string, Map<string, string>>()
  const aliases = new Map<string, string>()
  for (const [name, namespace] of fields) {
    const alias = /^ns\.([^.]+)$/.exec(name)?.[1]
    if (alias === undefined) continue
    if (extensions.has(namespace)) throw new Fault('forged', 'a namespace has two aliases')
    extensions.set(namespace, new Map())
    aliases.set(alias, namespace)
  }
  for (const [name, value] of fields) {
    const dot = name.indexOf('.')
    const namespace = dot > 0 ? aliases.get(name.slice(0, dot)) : undefined
    if (namespace !== undefined) extensions.get(namespace)?.set(name.slice(dot + 1), value)
  }
  return extensions
}

/** Simple Registration 1.1 §4: nine fields, which counties write into what they like. */
const readSreg = (fields: Fields): Attribute[] =>
  sregFields.flatMap((name): Attribute[] => {
    const value = fields.get(name)
    return value === undefined ? [] : [[`sreg.${name}`, value]]
  })

/** Provider Authentication Policy Extension 1.0 §5.2. */
function readPape(fields: Fields): Pick<Said, 'authTime'> {
  const text = fields.get('auth_time') ?? ''
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return {}
  const authTime = Date.parse(text) / 1000
  return Number.isNaN(authTime) ? {} : { authTime }
}
