/** Days in Taiwan, which has no summer time: `2026-11-21`. */

/** Ahead of UTC, in seconds. */
const ahead = 8 * 60 * 60

/** The day it is then; `at` in seconds since 1970. */
export const dayIn = (at: number): string =>
  new Date((at + ahead) * 1000).toISOString().slice(0, 10)

/** Its first second, since 1970. */
export const beginOf = (day: string): number => Date.parse(`${day}T00:00:00+08:00`) / 1000

/** So many days later, or earlier. */
export const daysAfter = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)

/** A day as people type it, that there is; undefined for anything else. */
export function readDay(text: string): string | undefined {
  const day = text.trim().replaceAll('/', '-')
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined
  const at = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day) ? day : undefined
}
