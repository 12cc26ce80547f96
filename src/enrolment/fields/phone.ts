/** A telephone number, whichever she has: a landline with its extension, a mobile, or one abroad. */
import { phone as landline, mobile } from '#lib/taiwan-numbers.ts'
import { line, words } from './field.ts'
import { asAtHome } from './mobile.ts'
import { tidy } from './typed.ts'

/** E.164, of another country. */
function abroad(said: string): string | undefined {
  const number = tidy(said, 'NFKC').replace(/[\s\p{Pd}.()]/gu, '')
  return /^\+(?!886)[1-9]\d{7,14}$/.test(number) ? number : undefined
}

export const phone = line<'phone'>({
  control: 'line',
  attributes: () => ({ type: 'tel', maxlength: 40, autocomplete: 'tel' }),
  hint: () => words('phone.hint'),
  shown: asAtHome,
  normal(_, said) {
    const typed = tidy(said)
    const value = landline(typed) ?? mobile(typed) ?? abroad(typed)
    return value ? { value } : { problem: words('phone.bad') }
  },
})
