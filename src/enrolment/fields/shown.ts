/** A field as its page shows it. */
import type { Field, FieldType } from '#config/enrolment.ts'
import type { Words } from '#config/words.ts'
import type { Message } from '#lib/messages.ts'
import { kindOf } from '../fields.ts'
import { type Attributes, againName, type Control } from './field.ts'
import { clearName } from './picture.ts'

/** What is known of a field before it is shown. */
export type Filling = {
  /** Seconds since 1970. */
  at: number
  value?: string
  /** Whose word the value is. */
  by?: { label: Words; value: string }
  /** It stays as they said it. */
  locked?: boolean
  /** What the end was to read of it when it was right before. */
  kept?: string
}

export type ShownField = {
  /** Of its input in the page. */
  id: string
  name: string
  control: Control | 'locked'
  label: Words
  required: boolean
  /** The operator's words. */
  help: Words[]
  /** Ours. */
  hint?: Message
  attributes: Attributes
  value: string
  by?: { label: Words; value: string }
  again?: { id: string; name: string }
  options?: { value: string; label: Words; hint?: Words }[]
  /** Shown after the input: an account's. */
  domain?: string
  /** Something is kept of it, which an empty input leaves as it is. */
  isKept: boolean
  left?: Message
  clear?: { id: string; name: string }
  /** As a `data:` address. */
  picture?: string
}

export const inputId = (name: string) => `f-${name.replaceAll('.', '-')}`

export function shownField(field: Field, filling: Filling): ShownField {
  const kind = kindOf<FieldType>(field)
  const { at, value = '', by, locked = false, kept } = filling
  const isKept = kept !== undefined
  const again = againName(field)
  const isTwice = 'twice' in field && field.twice
  const hint = kind.hint?.(field)
  const domain = 'domain' in field ? field.domain : undefined
  const written = (one: string) => kind.shown?.(one) ?? one
  const shown: ShownField = {
    id: inputId(field.id),
    name: field.id,
    control: locked ? 'locked' : kind.control,
    label: field.label,
    required: field.required,
    help: [field.help, 'pattern_help' in field ? field.pattern_help : undefined].filter(
      (one) => one !== undefined,
    ),
    ...(hint ? { hint } : {}),
    attributes: kind.attributes(field, at),
    // What has no normal form is a secret or a file.
    value: kind.normal ? written(withoutDomain(value, locked ? undefined : domain)) : '',
    ...(by ? { by: { ...by, value: written(by.value) } } : {}),
    ...(isTwice && !locked ? { again: { id: inputId(again), name: again } } : {}),
    ...('options' in field ? { options: field.options } : {}),
    ...(domain ? { domain } : {}),
    ...(isKept && kind.left ? { left: kind.left(value) } : {}),
    isKept,
  }
  if (kind.control !== 'picture') return shown
  const name = clearName(field)
  return {
    ...shown,
    ...(isKept ? { picture: `data:${kept.replace(',', ';base64,')}` } : {}),
    clear: { id: inputId(name), name },
  }
}

const withoutDomain = (value: string, domain?: string) =>
  domain && value.endsWith(`@${domain}`) ? value.slice(0, -domain.length - 1) : value
