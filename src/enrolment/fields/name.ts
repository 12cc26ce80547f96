/** A person's name. It goes into mails: nothing that could be taken for a link or markup. */
import { line, words } from './field.ts'
import { tidy } from './typed.ts'

const longest = 100

// Private use too: characters of names that had no code point when the register took them.
const letters = /^[\p{L}\p{M}\p{N}\p{Co}\p{Pd} '’‘·•‧・.,\(\)]+$/v

export const name = line<'name'>({
  control: 'line',
  attributes: () => ({ type: 'text', maxlength: longest, autocomplete: 'name' }),
  normal(_, said) {
    const value = tidy(said, 'NFKC')
    if (value.length > longest) return { problem: words('text.long', { max: longest }) }
    if (!letters.test(value) || !/[\p{L}\p{Co}]/v.test(value))
      return { problem: words('name.letters') }
    return { value }
  },
})
