/** Which process may do what only one may do at a time, and until when it is trusted to be alive. */
import { type Statements, statement } from './statements.ts'

export type Leases = {
  /**
   * Takes or keeps the lease until `until`. False while another holder's has not run out at `at`, unless that one would
   * do so much later than any could.
   */
  take(name: string, holder: string, at: number, until: number): Promise<boolean>
  /** Gives it back if it is still one's own. */
  release(name: string, holder: string): Promise<void>
  /** Those that have not run out at `at`, by name. */
  list(at: number): Promise<{ name: string; holder: string; until: number }[]>
}

/** No lease runs so many seconds longer than another of its name: its holder's clock was wrong. */
const longest = 3_600

const take = statement(
  'lease.take',
  `INSERT INTO lease (name, holder, expires_at) VALUES (?, ?, ?)
   ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
   WHERE lease.holder = excluded.holder OR lease.expires_at <= ? OR lease.expires_at > ?
   RETURNING name`,
)
const release = statement('lease.release', 'DELETE FROM lease WHERE name = ? AND holder = ?')

const list = statement(
  'lease.list',
  'SELECT name, holder, expires_at FROM lease WHERE expires_at > ? ORDER BY name',
)

export function openLeases(statements: Statements): Leases {
  return {
    async take(name, holder, at, until) {
      return (await statements.run(take, [name, holder, until, at, until + longest])).length === 1
    },
    async release(name, holder) {
      await statements.run(release, [name, holder])
    },
    async list(at) {
      return (await statements.run(list, [at])).map(({ name, holder, expires_at }) => ({
        name: String(name),
        holder: String(holder),
        until: Number(expires_at),
      }))
    },
  }
}
