/** The clock as rules see it: lent by app.ts, so that tests can hold it still. */

/** Milliseconds since 1970. */
export type Now = () => number

/** Whole seconds since 1970, the unit of OAuth and of our tables. */
export const seconds = (now: Now): number => Math.floor(now() / 1000)

/** Seconds of a day. */
export const day = 24 * 60 * 60

/** ISO 8601 in UTC, for machines; `at` in seconds since 1970. */
export const isoTime = (at: number): string => new Date(at * 1000).toISOString()

/** The same of a moment there may not have been: undefined then, which JSON leaves out. */
export const isoOr = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : isoTime(at)

/** `isoTime` without a fraction, for people. */
export const isoSecond = (at: number): string => isoTime(at).replace('.000', '')
