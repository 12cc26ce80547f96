/** What a profile says of a person, whoever fills it in: which letters, how many, which numbers. */
import type { Message } from '#lib/messages.ts'
import { mobile, phone } from '#lib/taiwan-numbers.ts'

export const profileFields = ['name', 'nickname', 'title', 'phone_number', 'gender'] as const
export type ProfileField = (typeof profileFields)[number]

/** OpenID Connect Core §5.1: nobody has checked that the number is hers. */
export const unverified = (field: ProfileField) =>
  field === 'phone_number' ? { verified: false } : {}

const longest: Record<ProfileField, number> = {
  name: 60,
  nickname: 40,
  title: 60,
  phone_number: 40,
  gender: 20,
}
/** OpenID Connect Core §5.1 knows two and allows others. */
export const genders = ['female', 'male', 'other'] as const

// Variation selectors stay: names are told apart by them. U+2800 is a letter of Braille without a dot.
const unseen =
  /[[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]--[\p{Variation_Selector}]]/v

const oneLine = (text: string) => text.normalize('NFC').replace(/\s+/g, ' ').trim()

export type Read = { value: string } | { problem: Message }

/** As it is to be kept, or why it is not. `before`: what stands there, which may be older than our rules. */
export function readField(field: ProfileField, text: string, before: string): Read {
  const value = oneLine(text)
  // What stands there may be older than our rules.
  if (value === before) return { value }
  if (value === '') return field === 'name' ? { problem: 'account.fields.name.empty' } : { value }
  if ([...value].length > longest[field]) {
    return { problem: { key: 'account.profile.too-long', params: { most: longest[field] } } }
  }
  // Directions and invisible characters have no place in a name (see lib/prose.ts).
  if (unseen.test(value) || /[\p{Co}\p{Cn}<>]/u.test(value))
    return { problem: 'account.profile.characters' }
  switch (field) {
    case 'phone_number': {
      const number = mobile(value) ?? phone(value)
      return number ? { value: number } : { problem: 'account.fields.phone_number.wrong' }
    }
    case 'gender':
      return genders.some((one) => one === value)
        ? { value }
        : { problem: 'account.fields.gender.wrong' }
    default:
      return { value }
  }
}
