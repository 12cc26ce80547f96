/** One hash at a time, in a thread of its own: see passwords.ts. */
import { type Algorithm, hashSync, verifySync } from '@node-rs/argon2'

/** Kept in each hash, so it can change. */
export type PasswordCost = {
  /** KiB. */
  memoryCost: number
  /** Passes. */
  timeCost: number
}

const parameters = { algorithm: 2 satisfies Algorithm.Argon2id, parallelism: 1 }

export type HashTask = { password: string; stored?: string; cost: PasswordCost }

/** A PHC string or, for a stored one, whether the password is right. */
export default ({ password, stored, cost }: HashTask): string | boolean =>
  stored === undefined
    ? hashSync(password, { ...parameters, ...cost })
    : verifySync(stored, password)
