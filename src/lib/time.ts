/** The clock as rules see it: lent by app.ts, so that tests can hold it still. */

/** Milliseconds since 1970. */
export type Now = () => number

/** Whole seconds since 1970, the unit of OAuth and of our tables. */
export const seconds = (now: Now): number => Math.floor(now() / 1000)
