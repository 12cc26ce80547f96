/** Every kind of field there is. */
import type { Field, FieldType } from '#config/enrolment.ts'
import { account } from './fields/account.ts'
import { date } from './fields/date.ts'
import { email } from './fields/email.ts'
import { againName, type FieldKind, type FieldOf } from './fields/field.ts'
import { mobile } from './fields/mobile.ts'
import { name } from './fields/name.ts'
import { nationalId } from './fields/national-id.ts'
import { password } from './fields/password.ts'
import { phone } from './fields/phone.ts'
import { picture } from './fields/picture.ts'
import { radio } from './fields/radio.ts'
import { select } from './fields/select.ts'
import { taxId } from './fields/tax-id.ts'
import { text } from './fields/text.ts'

export const kinds: { [Type in FieldType]: FieldKind<Type> } = {
  text,
  name,
  account,
  email,
  password,
  phone,
  mobile,
  select,
  radio,
  date,
  'national-id': nationalId,
  'tax-id': taxId,
  picture,
}

// A field's own type: which one it is, the rules say and no compiler.
export const kindOf = <Type extends FieldType>(field: FieldOf<Type>): FieldKind<Type> =>
  kinds[field.type as Type]

/** Of a field nothing is typed into there are few: what was chosen. */
const chosen = 100

/** The most letters people type into it, as browsers count them. */
export function lettersOf(field: Field): number {
  const { maxlength = chosen } = kindOf<FieldType>(field).attributes(field, 0)
  return Number(maxlength) * ('twice' in field && field.twice ? 2 : 1)
}

/** Names of inputs whose content is never shown again. */
export const secretNames = (fields: Field[]): string[] =>
  fields.filter(({ type }) => type === 'password').flatMap((field) => [field.id, againName(field)])
