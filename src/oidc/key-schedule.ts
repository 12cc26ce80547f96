/** When each key of the ring is announced, used, kept and given up: rules over dates, no I/O. */
import type { SiteFile } from '#config/schema.ts'
import { day } from '#lib/time.ts'
import type { RingKey } from './ring.ts'

export const signingAlgs = ['RS256', 'ES256'] as const
export type SigningAlg = (typeof signingAlgs)[number]

/** A line of keys that follow each other. */
export type KeyLine =
  | { purpose: 'signing'; alg: SigningAlg }
  | { purpose: 'cookie'; alg?: undefined }

/**
 * What has successors. The pairwise salt has none: with another one every app would meet strangers in place of the
 * people it knows. The data key has none: what lies sealed under it in other tables would no longer open. The audit
 * key has none: the records it vouches for are kept for years.
 */
export const keyLines: KeyLine[] = [
  ...signingAlgs.map((alg) => ({ purpose: 'signing' as const, alg })),
  { purpose: 'cookie' },
]

/** Durations, in seconds. */
export type KeyRules = {
  /** A successor is published for so long before it is used. */
  publishAhead: number
  /** How long a key is used. */
  used: Record<KeyLine['purpose'], number>
  /** How long it still verifies after that. */
  kept: Record<KeyLine['purpose'], number>
  /** How often a process looks at the ring. */
  follow: number
}

export function keyRules({ keys, lifetimes, resources }: SiteFile): KeyRules {
  const longestToken = Math.max(
    lifetimes.id_token_seconds,
    lifetimes.access_token_seconds,
    ...resources.map((resource) => resource.access_token_seconds),
  )
  return {
    publishAhead: keys.publish_ahead_seconds,
    used: { signing: keys.signing_days * day, cookie: keys.cookie_days * day },
    kept: {
      // A day more: apps send an ID token back as id_token_hint when they sign out.
      signing: longestToken + day,
      // The browser's own cookie lives a year (http/cookies.ts) and is not signed anew in between.
      cookie: 400 * day,
    },
    follow: keys.follow_seconds,
  }
}

export type KeyState =
  /** Published, not used yet. */
  | 'next'
  | 'signing'
  /** Verifies what it signed. */
  | 'retired'
  /** Has no successors. */
  | 'permanent'

export type Scheduled = RingKey & {
  state: KeyState
  /** When its successor took or takes over. */
  retiresAt?: number
  /** When it leaves the ring. */
  leavesAt?: number
}

/** The keys of one line, the one that signs first, then those to come, then those that were. */
export function lineOf(ring: RingKey[], line: KeyLine, at: number, rules: KeyRules): Scheduled[] {
  const order = ring
    .filter(({ purpose, alg }) => purpose === line.purpose && alg === line.alg)
    .sort((a, b) => begins(a) - begins(b) || numberOf(a.name) - numberOf(b.name))
  // Where none has begun, a clock is wrong or the first key was just made elsewhere: somebody must sign.
  const current = Math.max(
    0,
    order.findLastIndex((key) => begins(key) <= at),
  )
  const states = order.map((key, i): Scheduled => {
    const successor = order[i + 1]
    const until = successor && Math.max(begins(successor), key.createdAt)
    const dates = until && { retiresAt: until, leavesAt: until + rules.kept[line.purpose] }
    return { ...key, state: i === current ? 'signing' : i > current ? 'next' : 'retired', ...dates }
  })
  return [
    ...states.slice(current, current + 1),
    ...states.slice(current + 1),
    ...states.slice(0, current).reverse(),
  ]
}

/** Every key of the ring with its state. */
export function scheduleOf(ring: RingKey[], at: number, rules: KeyRules): Scheduled[] {
  const lines = keyLines.flatMap((line) => lineOf(ring, line, at, rules))
  const listed = new Set(lines.map(({ name }) => name))
  const others = ring.filter(({ name }) => !listed.has(name))
  return [...lines, ...others.map((key) => ({ ...key, state: 'permanent' as const }))]
}

/** True when the line's successor must be published now to take over in time. */
export function isDue(ring: RingKey[], line: KeyLine, at: number, rules: KeyRules): boolean {
  const [signing, ...others] = lineOf(ring, line, at, rules)
  if (!signing || others.some(({ state }) => state === 'next')) return false
  return begins(signing) + rules.used[line.purpose] - rules.publishAhead <= at
}

/** When the next key takes over, if one waits. */
export function nextChange(ring: RingKey[], at: number): number | undefined {
  const times = ring.map(begins).filter((time) => time > at)
  return times.length > 0 ? Math.min(...times) : undefined
}

/** The name of the next key in line. Of two processes that add one at once, one gets the name. */
export function nextName(ring: RingKey[], line: { purpose: string; alg?: string }): string {
  const numbers = ring
    .filter(({ purpose, alg }) => purpose === line.purpose && alg === line.alg)
    .map(({ name }) => numberOf(name))
  return `${nameOf(line)}-${Math.max(0, ...numbers) + 1}`
}

const nameOf = ({ purpose, alg }: { purpose: string; alg?: string }): string =>
  alg ? `${purpose}-${alg.toLowerCase()}` : purpose

// A release without a schedule may run beside us and make a first key: it signs until a scheduled one does.
const begins = (key: RingKey): number => key.signsAt ?? 0

const numberOf = (name: string): number => Number(/-(\d+)$/.exec(name)?.[1] ?? 0)
