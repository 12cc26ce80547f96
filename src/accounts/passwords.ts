/** Password hashing: argon2id behind a queue of fixed width, so that sign-ins never starve everything else. */
import { type Algorithm, hash, verify } from '@node-rs/argon2'
import pLimit from 'p-limit'

/** OWASP and security.md: 64 MiB, three passes, one lane. Kept in each hash, so they can change. */
const parameters = {
  algorithm: 2 satisfies Algorithm.Argon2id,
  memoryCost: 65_536,
  timeCost: 3,
  parallelism: 1,
}

/** Half of libuv's threads: signatures, DNS and SQLite share the other half. */
const width = 2

/** The queue is full: the person should try again shortly. Answered with 503. */
export class BusyError extends Error {
  override name = 'BusyError'
  readonly retryAfterSeconds = 5
}

export type Passwords = {
  /** A PHC string. Throws BusyError. */
  hash(password: string): Promise<string>
  /**
   * True if the password is right. With no hash (nobody of that name) it costs the same and is false.
   * Throws BusyError.
   */
  verify(stored: string | undefined, password: string): Promise<boolean>
  /** How many wait for their turn. */
  waiting(): number
}

export type PasswordPorts = {
  /** How many may wait before the next one is turned away. */
  depth?: number
  /** Runs one hash inside whatever watches it. */
  watch?: <T>(work: () => Promise<T>) => Promise<T>
}

export function openPasswords({
  depth = 200,
  watch = (work) => work(),
}: PasswordPorts = {}): Passwords {
  const limit = pLimit(width)
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    if (limit.pendingCount >= depth) throw new BusyError('password queue is full')
    return limit(() => watch(work))
  }
  // Same characters, same bytes: an accent typed on another keyboard is the same password (RFC 8265).
  const normal = (password: string) => password.normalize('NFC')
  const dummy = hash('nobody has this password', parameters)

  return {
    waiting: () => limit.pendingCount,
    hash: async (password) => queued(() => hash(normal(password), parameters)),
    async verify(stored, password) {
      const against = stored ?? (await dummy)
      const matches = await queued(() => verify(against, normal(password)))
      return matches && stored !== undefined
    },
  }
}
