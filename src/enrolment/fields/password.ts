/** A new password. It is hashed when the whole form is right, never shown again, and kept when a finished form is mended. */
import { shortest } from '#accounts/password-rules.ts'
import type { FieldKind } from './field.ts'
import { againName, empty, own, words } from './field.ts'

export const password: FieldKind<'password'> = {
  control: 'password',
  // The longest is left to the server: browsers cut off what is pasted.
  attributes: () => ({
    type: 'password',
    minlength: shortest,
    maxlength: 1024,
    autocomplete: 'new-password',
  }),
  hint: () => words('password.hint', { min: shortest }),
  left: () => words('password.left'),
  async read(field, { fields }, { kept, about, language }, ports) {
    const typed = own(fields, field.id)
    const again = own(fields, againName(field))
    const before = kept === undefined ? {} : { keep: kept }
    if (typed === '' && again === '') {
      if (kept === undefined) return empty(field, language)
      return { ...before, facts: { [field.id]: true }, hold: async () => kept }
    }
    const wrong = await ports.judgePassword(typed, about)
    const differs = field.twice && again.normalize('NFC') !== typed.normalize('NFC')
    const problems = [
      ...(wrong ? [{ field: field.id, problem: wrong }] : []),
      ...(differs
        ? [{ field: againName(field), problem: words(again === '' ? 'again' : 'password.differs') }]
        : []),
    ]
    if (problems.length > 0) return { ...before, problems }
    return {
      ...before,
      facts: { [field.id]: true },
      hold: () => ports.passwords.hash(typed),
    }
  },
  summary: () => words('password.set'),
}
