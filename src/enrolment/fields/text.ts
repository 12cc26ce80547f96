/** A line of the operator's own rules. */
import { line, words } from './field.ts'
import { tidy } from './typed.ts'

export const text = line<'text'>({
  control: 'line',
  attributes: ({ min_length: min, max_length: max, pattern, autocomplete }) => ({
    type: 'text',
    minlength: min,
    maxlength: max,
    ...(pattern ? { pattern } : {}),
    autocomplete,
  }),
  normal({ min_length: min, max_length: max, pattern }, said) {
    const value = tidy(said)
    // As browsers count, in UTF-16 units.
    if (value.length < min) return { problem: words('text.short', { min }) }
    if (value.length > max) return { problem: words('text.long', { max }) }
    // The flag browsers read `pattern` with.
    if (pattern && !new RegExp(`^(?:${pattern})$`, 'v').test(value))
      return { problem: words('text.pattern') }
    return { value }
  },
})
