/** Simple Registration 1.1 §4: nine fields, which counties write into what they like. */
import { sregFields } from '#config/connector.ts'
import type { Attribute } from './ax.ts'
import type { Fields } from './fields.ts'

/** Fields without their alias. */
export const readSreg = (fields: Fields): Attribute[] =>
  sregFields.flatMap((name): Attribute[] => {
    const value = fields.get(name)
    return value === undefined ? [] : [[`sreg.${name}`, value]]
  })
