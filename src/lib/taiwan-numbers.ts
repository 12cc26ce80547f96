/** Numbers people and organisations have in Taiwan: each function gives the number's one normal form, or undefined. */
import { isBan, isIdCardNumber } from 'taiwan-id-validator'

/** Longer than any number people write with all its signs. */
const longest = 40

// Full-width digits and letters become plain ones by NFKC; the signs people put between groups are not part of a number.
const plain = (text: string) =>
  text.length > longest
    ? ''
    : text
        .normalize('NFKC')
        .toUpperCase()
        .replace(/[\s\p{Pd}\u2212.]+/gu, '')

/** 國民身分證 or 居留證統一證號, old and new, with its checksum right. */
export function nationalId(text: string): string | undefined {
  const number = plain(text)
  return isIdCardNumber(number) ? number : undefined
}

/** 統一編號. Zeros alone satisfy the checksum and are nobody's. */
export function taxId(text: string): string | undefined {
  const number = plain(text)
  return isBan(number) && number !== '00000000' ? number : undefined
}

/** `+8869XXXXXXXX` of a number typed as at home or from abroad. */
export function mobile(text: string): string | undefined {
  const [, rest] = /^(?:0|(?:\+|00)?8860?)(9\d{8})$/.exec(plain(text)) ?? []
  return rest && `+886${rest}`
}

/** Area codes without their zero, longest first, and how many digits follow each. */
const areas: [code: string, digits: RegExp][] = [
  ['826', /^\d{5}$/],
  ['836', /^\d{5}$/],
  ['37', /^\d{6}$/],
  ['49', /^\d{7}$/],
  ['82', /^\d{6}$/],
  ['89', /^\d{6}$/],
  ['2', /^\d{8}$/],
  ['3', /^\d{7}$/],
  ['4', /^\d{7,8}$/],
  ['5', /^\d{7}$/],
  ['6', /^\d{7}$/],
  ['7', /^\d{7}$/],
  ['8', /^\d{7}$/],
]

/**
 * A landline: `+886212345678`, with an extension `+886212345678;ext=123` (RFC 3966 §5.3, as OpenID Connect Core §5.1
 * asks of `phone_number`). People write `02-12345678#123`, `(02) 1234-5678 轉 123` or `ext. 123`.
 */
export function phone(text: string): string | undefined {
  const [, whole = '', extension] =
    /^(.*?)(?:(?:#|轉|分機|;?EXT=?)+:?(\d{1,6}))?$/.exec(plain(text)) ?? []
  // Digits go in brackets at the beginning only: an area code.
  const number = whole.replace(/^(\+886)?\((\d+)\)/, '$1$2')
  const [, rest] = /^(?:0|(?:\+|00)?8860?)(\d+)$/.exec(number) ?? []
  if (!rest) return undefined
  const known = areas.some(
    ([code, digits]) => rest.startsWith(code) && digits.test(rest.slice(code.length)),
  )
  if (!known) return undefined
  return `+886${rest}${extension === undefined ? '' : `;ext=${extension}`}`
}

/** A number as people write it, `0912-345-678` or `02-1234-5678 #123`; what is none of ours stays as it is. */
export function asWritten(number: string): string {
  const [, rest = '', extension] = /^\+886(\d+)(?:;ext=(\d+))?$/.exec(number) ?? []
  const [, network, first, second] = /^(9\d{2})(\d{3})(\d{3})$/.exec(rest) ?? []
  if (network) return `0${network}-${first}-${second}`
  const area = areas.find(
    ([code, digits]) => rest.startsWith(code) && digits.test(rest.slice(code.length)),
  )
  if (!area) return number
  const [code] = area
  const local = rest.slice(code.length).replace(/(?<=^\d{3,})(?=\d{4}$)/, '-')
  return `0${code}-${local}${extension === undefined ? '' : ` #${extension}`}`
}
