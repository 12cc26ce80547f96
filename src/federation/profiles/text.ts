/** Words as upstreams write them, cleaned: padding and placeholders are no values. */

const longest = 200
const placeholders = new Set(['', 'NA', 'N/A', 'null', 'undefined'])

/** A short line of text, or undefined when there is none to speak of. Numbers are read as written. */
export function text(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const line = String(value)
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
  if (placeholders.has(line)) return undefined
  // By code points: half a surrogate pair is not storable as UTF-8.
  return line.length > longest ? [...line].slice(0, longest).join('').trim() : line
}

/** Letters, marks and what stands between them, of which nothing is JSON, markup or a broken encoding. */
const word = /^(?=.*\p{L})[[\p{L}\p{M}\p{N}\p{Zs}\p{P}+]--["'\[\]\{\}\\]]+$/v

/** True of what people are called by; `line` is one of `text`. */
export const isWord = (line: string): boolean => word.test(line)

/** The first of several values that says something. */
export function firstText(...values: unknown[]): string | undefined {
  for (const value of values) {
    const found = text(value)
    if (found !== undefined) return found
  }
  return undefined
}

/** An e-mail address, or undefined: counties send `NA`, nothing, or blanks around it. */
export function email(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const address = value.trim()
  // One @ only: what reads `a@x@y` differently from us must not be handed it (oauth2-proxy CVE-2026-40574).
  const plain = /^[^\s\p{Cc}@"(),:;<>[\\\]]{1,64}@[^\s\p{Cc}@"(),:;<>[\\\]]+\.[^\s\p{Cc}@.]+$/u
  return address.length <= longest && plain.test(address) ? address : undefined
}
