/** Names and what stands around them, as they may be read on a page or in a mail. */
import type { MessageParams } from './messages.ts'

/** Longest name shown; what is longer ends in an ellipsis. Registrations may hold anything. */
const LONGEST_NAME = 60

// Direction overrides and isolates would let a name reorder the words around it; control characters
// and line ends have no place in a name.
const NOT_IN_NAMES = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/gu

const graphemes = new Intl.Segmenter('zh-TW', { granularity: 'grapheme' })

/** A name as it may stand in a sentence: one line, no direction tricks, not endless. */
export function clip(value: unknown, longest = LONGEST_NAME): string {
  const text = String(value ?? '')
    .slice(0, 4 * longest + 1000)
    .replace(NOT_IN_NAMES, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const letters = [...graphemes.segment(text)]
    .slice(0, longest + 1)
    .map((s) => s.segment.slice(0, 16))
  return letters.length > longest ? `${letters.slice(0, longest - 1).join('')}…` : letters.join('')
}

/** Of a text what somebody can read off and type again: neither spaces nor letters nobody sees. */
export const visibleLetters = (text: string): string =>
  text.normalize('NFKC').replace(/[\s\p{Cc}\p{Default_Ignorable_Code_Point}]+/gu, '')

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export const escapeHtml = (value: unknown) =>
  String(value ?? '').replace(/[&<>"']/g, (c) => entities[c] ?? '')

/** A parameter of a message as text. */
export const plain = (value: string | number) =>
  typeof value === 'number' ? `${value}` : clip(value)

/** Chinese puts a space beside Latin letters and digits, and none beside its own: 回到學習網, 回到 Moodle. */
const withoutGaps = (text: string, params: MessageParams): string =>
  text.replace(/( ?)\{(\w+)\}( ?)/g, (_, before: string, key: string, after: string) => {
    const value = plain(params[key] ?? '')
    const opens = /^\p{Script=Han}/u.test(value) ? '' : before
    const closes = /\p{Script=Han}$/u.test(value) ? '' : after
    return `${opens}{${key}}${closes}`
  })

/** A message's text with its spaces as its language wants them around these parameters. */
export const closeUp = (lang: string, text: string, params: MessageParams): string =>
  lang.startsWith('zh') ? withoutGaps(text, params) : text
