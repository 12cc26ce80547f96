/** 國民身分證 or 居留證統一證號. Held for the end only; what anybody else may read of it is masked. */
import { nationalId as normal } from '#lib/taiwan-numbers.ts'
import type { FieldKind } from './field.ts'
import { empty, own, slip, words } from './field.ts'
import { tidy } from './typed.ts'

export const nationalId: FieldKind<'national-id'> = {
  control: 'line',
  attributes: () => ({
    type: 'text',
    maxlength: 40,
    autocomplete: 'off',
    autocapitalize: 'characters',
    spellcheck: 'false',
  }),
  hint: () => words('national-id.hint'),
  left: (number) => words('national-id.left', { number }),
  async read(field, { fields }, { kept, language }) {
    const typed = tidy(own(fields, field.id), 'NFKC')
    if (typed === '' && kept === undefined) return empty(field, language)
    const before = kept === undefined ? {} : { keep: kept }
    const number = typed === '' ? kept : normal(typed)
    if (number === undefined) return { ...before, ...slip(field.id, words('national-id.bad')) }
    return { ...before, facts: { [field.id]: masked(number) }, hold: async () => number }
  },
}

const masked = (number: string) => `${number.slice(0, 2)}*****${number.slice(-3)}`
