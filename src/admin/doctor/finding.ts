/** What the doctor says of one thing. */

export type Finding = {
  check: string
  state: 'ok' | 'warn' | 'fail'
  /** What it means, in a sentence. */
  says: string
  /** How to mend it. */
  mend?: string
}

export const ok = (check: string, says: string): Finding => ({ check, state: 'ok', says })
export const warn = (check: string, says: string, mend: string): Finding => ({
  check,
  state: 'warn',
  says,
  mend,
})
export const fail = (check: string, says: string, mend: string): Finding => ({
  check,
  state: 'fail',
  says,
  mend,
})

/** Somebody else's clock beside ours: milliseconds, above zero when his is ahead. */
export type Clock = { whose: string; ahead: number }

/** The first error code of a chain of causes: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, `28P01`. */
export function codeOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string' && at.code !== 'UND_ERR') return at.code
    if (at instanceof AggregateError && at.errors.length > 0) return codeOf(at.errors[0])
    if (at.name === 'TimeoutError') return 'TIMEOUT'
  }
  return ''
}
