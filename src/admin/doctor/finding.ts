/** What the doctor says of one thing. */
import type { Said, Trouble } from './sayings.ts'

/** In no language yet. */
export type Finding = {
  check: Said
  state: 'ok' | 'warn' | 'fail'
  /** What it means: a sentence, or some. */
  says: Said[]
  /** How to mend it. */
  mend?: Said
}

export const ok = (check: Said, says: Said): Finding => ({ check, state: 'ok', says: [says] })
export const warn = (check: Said, what: Trouble): Finding => ill(check, 'warn', what)
export const fail = (check: Said, what: Trouble): Finding => ill(check, 'fail', what)

const ill = (check: Said, state: 'warn' | 'fail', { says, mend }: Trouble): Finding => ({
  check,
  state,
  says: [says].flat(),
  mend,
})

/** Somebody else's clock beside ours: milliseconds, above zero when his is ahead. */
export type Clock = { whose: 'database' | 'issuer' | 'server'; host?: string; ahead: number }

/** The first error code of a chain of causes: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, `28P01`. */
export function codeOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string' && at.code !== 'UND_ERR') return at.code
    if (at instanceof AggregateError && at.errors.length > 0) return codeOf(at.errors[0])
    if (at.name === 'TimeoutError') return 'TIMEOUT'
  }
  return ''
}
