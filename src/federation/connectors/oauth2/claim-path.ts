/** A claim inside what the calls answered: `user.uuid`. */
import type { Claims } from '../../profile.ts'

/** What stands there; undefined for anything that is no member of a JSON object on the way. */
export function claimAt(claims: Claims, path: string): unknown {
  let at: unknown = claims
  for (const name of path.split('.')) {
    // Own members only: `user.constructor` is nobody.
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Claims)[name]
  }
  return at
}

/** A number is as good as its digits; one that was rounded on the way could be somebody else's. */
export const asWritten = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value
  return Number.isSafeInteger(value) ? String(value) : undefined
}
