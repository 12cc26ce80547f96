/** Points counted in windows of time, by all processes together. */
import {
  places,
  type Row,
  type Statements,
  sizedStatements,
  statement,
  type Value,
} from './statements.ts'

export type Hit = {
  key: string
  /** Added; below zero they are given back; `none`: whatever was counted is forgotten. */
  points: number | 'none'
  /** When the window ends, if this hit begins one: seconds since 1970. */
  expiresAt: number
  /** Nothing more until then; the window ends no sooner. */
  waitUntil?: number
}

export type Count = {
  points: number
  /** Zero where nobody has to wait. */
  waitUntil: number
  expiresAt: number
}

export type Limits = {
  /**
   * Adds to each counter, in one statement, and tells how they stand after it, in the same order. However many
   * processes hit at once, every hit is counted, and each is told another number.
   */
  hit(hits: Hit[], at: number): Promise<Count[]>
  /** Removes the counters whose key begins so. How many there were. */
  forget(begins: string): Promise<number>
}

/** A sign-in counts under three names. */
const most = 4

const hits = sizedStatements(
  'limit.hit',
  most,
  (rows) =>
    `INSERT INTO rate_limit (key, points, wait_until, expires_at)
     VALUES ${places(4, rows)}
     ON CONFLICT (key) DO UPDATE SET
       points = excluded.points +
         CASE WHEN rate_limit.expires_at <= ? OR rate_limit.points < 0 THEN 0 ELSE rate_limit.points END,
       wait_until = CASE
         WHEN excluded.wait_until >= 0 THEN excluded.wait_until
         WHEN rate_limit.expires_at <= ? THEN 0
         ELSE rate_limit.wait_until END,
       expires_at = CASE
         WHEN rate_limit.expires_at <= ? THEN excluded.expires_at
         WHEN rate_limit.expires_at < excluded.wait_until THEN excluded.wait_until
         ELSE rate_limit.expires_at END
     RETURNING key, points, wait_until, expires_at`,
)

const forget = statement(
  'limit.forget',
  'DELETE FROM rate_limit WHERE substr(key, 1, ?) = ? RETURNING key',
)

/** More than anybody ever hit; what is below zero counts as zero. */
const everything = -1_000_000_000

export function openLimits(statements: Statements): Limits {
  return {
    forget: async (begins) => (await statements.run(forget, [begins.length, begins])).length,
    async hit(wanted, at) {
      const statement = hits[wanted.length - 1]
      if (!statement) throw new Error(`between 1 and ${most} counters, not ${wanted.length}`)
      // Always in the same order: two who lock the same rows must not wait for each other.
      const sorted = wanted.toSorted((a, b) => (a.key < b.key ? -1 : 1))
      const rows = await statements.run(statement, [...sorted.flatMap(values), at, at, at])
      const counts = new Map(rows.map((row) => [String(row.key), read(row)]))
      return wanted.map(({ key }) => {
        const count = counts.get(key)
        if (!count) throw new Error('a counter was not returned')
        return count
      })
    },
  }
}

const values = ({ key, points, expiresAt, waitUntil = -1 }: Hit): Value[] =>
  points === 'none'
    ? [key, everything, 0, expiresAt]
    : [key, points, waitUntil, Math.max(expiresAt, waitUntil)]

const read = (row: Row): Count => ({
  points: Math.max(0, Number(row.points)),
  waitUntil: Math.max(0, Number(row.wait_until)),
  expiresAt: Number(row.expires_at),
})
