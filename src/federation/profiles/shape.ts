/** JSON of uncertain shape: an object where a list was promised, null where either was. */
import type { Claims } from '../profile.ts'
import { text } from './text.ts'

/** More schools, titles or classes than this nobody has. */
export const most = 50

/** Deeper than this nothing is looked at. */
export const deepest = 8

/** The items of a list; a single thing counts as a list of one, nothing as none. */
export function asList(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.slice(0, most)
  return value === undefined || value === null || value === '' ? [] : [value]
}

/** The value if it is an object with fields. */
export function asRecord(value: unknown): Claims | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Claims)
    : undefined
}

/** Nothing was said: absent, null, blank, a placeholder, or a list or an object of nothing else. */
export function isBlank(value: unknown, depth = 0): boolean {
  if (value === undefined || value === null) return true
  if (typeof value === 'string') return text(value) === undefined
  if (typeof value !== 'object' || depth >= deepest) return false
  return Object.values(value).every((inner) => isBlank(inner, depth + 1))
}
