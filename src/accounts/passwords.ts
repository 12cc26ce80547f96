/**
 * Password hashing: argon2id behind a queue of fixed width, in threads that give way to everything else. Two hundred
 * people who sign in at once wait for each other; the apps that ask for tokens meanwhile do not notice.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Piscina } from 'piscina'
import { BusyError } from '#errors.ts'
import { once } from '#lib/once.ts'
import type { HashTask, PasswordCost } from './hash-worker.ts'

/** Threads. Each holds 64 MiB while it works. */
const width = 2

/** Milliseconds. What a hash takes while many wait says nothing of the hash. */
const longestWait = 1_000

/** What nice(1) adds: where cores are short, a hash gets a tenth of what a request gets. */
const niceness = 10

/** OWASP and security.md: 64 MiB, three passes, one lane. */
const usualCost: PasswordCost = { memoryCost: 65_536, timeCost: 3 }

/** Of nobody's password, as costly as every other: an unknown name costs the same. */
const dummyAt = ({ memoryCost, timeCost }: PasswordCost) =>
  `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=1$6oKRUjhM2bvfCtIgLkF3Kw$G9LHX6QbhREmiuwUF29678JJxWNOXmE/ZzOI+8SsuiA`

export type { PasswordCost } from './hash-worker.ts'

export type Passwords = {
  /** A PHC string. Throws BusyError. */
  hash(password: string): Promise<string>
  /**
   * True if the password is right. With no hash (nobody of that name) it costs the same and is false.
   * Throws BusyError.
   */
  verify(stored: string | undefined, password: string): Promise<boolean>
  /** It was made elsewhere, or at another cost than ours: the next good sign-in makes one of ours of it. */
  isOld(stored: string): boolean
  /** How many wait for their turn. */
  waiting(): number
  close(): Promise<void>
}

export type PasswordPorts = {
  /** How many may wait before the next one is turned away. */
  depth?: number
  /** What a hash costs whoever makes one, and whoever guesses. */
  cost?: PasswordCost
  /** Runs one hash inside whatever watches it. */
  watch?: <T>(work: () => Promise<T>) => Promise<T>
}

/** The threads are started by the first hash: who only brokers counties never pays for them. */
export function openPasswords({
  depth = 200,
  cost = usualCost,
  watch = (work) => work(),
}: PasswordPorts = {}): Passwords {
  let threads: Piscina<HashTask, string | boolean> | undefined
  const open = once(async () => {
    const { Piscina } = await import('piscina')
    threads = new Piscina({
      filename: join(import.meta.dirname, 'hash-worker.ts'),
      minThreads: 0,
      maxThreads: width,
      niceIncrement: niceness,
      idleTimeout: 60_000,
    })
    return threads
  })
  const run = async (task: Omit<HashTask, 'cost'>) => {
    const opened = await open()
    if (opened.queueSize >= depth) throw new BusyError('password queue is full')
    return watch(() => opened.run({ ...task, cost }))
  }
  // Same characters, same bytes: an accent typed on another keyboard is the same password (RFC 8265).
  const normal = (password: string) => password.normalize('NFC')
  const dummy = dummyAt(cost)
  const ours = dummy.slice(0, dummy.indexOf('$', '$argon2id$v=19$'.length) + 1)
  const isOld = (stored: string) => !stored.startsWith(ours)
  /** What such a hash took of late: nobody's name and a wrong password take no less. */
  let oldTook = 0
  async function verifyOld(stored: string, password: string): Promise<boolean> {
    // Who made it may have taken the letters as they were typed.
    for (const spelling of new Set([password, normal(password)])) {
      const started = performance.now()
      const right = await run({ password: spelling, stored })
      const took = performance.now() - started
      oldTook = Math.min(longestWait, Math.max(took, 0.95 * oldTook))
      if (right === true) return true
    }
    return false
  }

  return {
    waiting: () => threads?.queueSize ?? 0,
    hash: async (password) => String(await run({ password: normal(password) })),
    isOld,
    async verify(stored, password) {
      const started = performance.now()
      const right =
        stored !== undefined && isOld(stored)
          ? await verifyOld(stored, password)
          : (await run({ password: normal(password), stored: stored ?? dummy })) === true
      if (right && stored !== undefined) return true
      const early = oldTook - (performance.now() - started)
      if (early > 0) await sleep(early)
      return false
    },
    async close() {
      await threads?.destroy()
    },
  }
}
