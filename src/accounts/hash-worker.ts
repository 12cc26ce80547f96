/** One hash at a time, in a thread of its own: see passwords.ts. */
import { type Algorithm, hashSync, verifySync } from '@node-rs/argon2'

/** OWASP and security.md: 64 MiB, three passes, one lane. Kept in each hash, so they can change. */
const parameters = {
  algorithm: 2 satisfies Algorithm.Argon2id,
  memoryCost: 65_536,
  timeCost: 3,
  parallelism: 1,
}

export type HashTask = { password: string; stored?: string }

/** A PHC string or, for a stored one, whether the password is right. */
export default ({ password, stored }: HashTask): string | boolean =>
  stored === undefined ? hashSync(password, parameters) : verifySync(stored, password)
