/** One hash at a time, in a thread of its own: see passwords.ts. */
import { pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { createRequire } from 'node:module'
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

/** Read when the first such hash is met: most houses have none. */
const require = createRequire(import.meta.url)
const bcrypt = (): typeof import('bcryptjs') => require('bcryptjs')

/** By the algorithm that stands in it: what is not argon2 came from another system (foreign-hashes.ts). */
function verify(stored: string, password: string): boolean {
  if (stored.startsWith('$2')) return bcrypt().compareSync(password, stored)
  if (stored.startsWith('$pbkdf2-')) return verifyPbkdf2(stored, password)
  return verifySync(stored, password)
}

function verifyPbkdf2(stored: string, password: string): boolean {
  const [, type = '', cost = '', salt = '', hash = ''] = stored.split('$')
  const made = Buffer.from(hash, 'base64')
  const digest = type.slice('pbkdf2-'.length)
  const iterations = Number(cost.slice('i='.length))
  const tried = pbkdf2Sync(password, Buffer.from(salt, 'base64'), iterations, made.length, digest)
  return timingSafeEqual(tried, made)
}

/** A PHC string or, for a stored one, whether the password is right. */
export default ({ password, stored, cost }: HashTask): string | boolean =>
  stored === undefined ? hashSync(password, { ...parameters, ...cost }) : verify(stored, password)
