/** 統一編號 of a company or agency. */
import { taxId as normal } from '#lib/taiwan-numbers.ts'
import { line, words } from './field.ts'
import { tidy } from './typed.ts'

export const taxId = line<'tax-id'>({
  control: 'line',
  attributes: () => ({ type: 'text', maxlength: 40, inputmode: 'numeric', autocomplete: 'off' }),
  hint: () => words('tax-id.hint'),
  normal(_, said) {
    const value = normal(tidy(said))
    return value ? { value } : { problem: words('tax-id.bad') }
  },
})
