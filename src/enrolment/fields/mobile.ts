/** A Taiwanese mobile number: one that messages can be sent to. */
import { mobile as normal } from '#lib/taiwan-numbers.ts'
import { line, words } from './field.ts'
import { tidy } from './typed.ts'

/** `+886212345678;ext=123` is dialled, `0212345678#123` is read. */
export const asAtHome = (number: string) => number.replace(/^\+886/, '0').replace(';ext=', '#')

export const mobile = line<'mobile'>({
  control: 'line',
  attributes: () => ({ type: 'tel', maxlength: 40, autocomplete: 'tel' }),
  hint: () => words('mobile.hint'),
  shown: asAtHome,
  normal(_, said) {
    const value = normal(tidy(said))
    return value ? { value } : { problem: words('mobile.bad') }
  },
})
