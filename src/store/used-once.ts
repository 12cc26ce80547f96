/** What is good for one use by all processes together: nonces, assertions. */
import { type Statements, statement } from './statements.ts'

export type UsedOnce = {
  /** True for exactly one caller of this id, however many race. */
  use(id: string, expiresAt: number): Promise<boolean>
  /** By who used it, and to no purpose: it is good once more. */
  giveBack(id: string): Promise<void>
}

const use = statement(
  'used-once.use',
  'INSERT INTO used_once (id, expires_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING RETURNING id',
)
const giveBack = statement('used-once.give-back', 'DELETE FROM used_once WHERE id = ?')

export function openUsedOnce(statements: Statements): UsedOnce {
  return {
    use: async (id, expiresAt) => (await statements.run(use, [id, expiresAt])).length === 1,
    async giveBack(id) {
      await statements.run(giveBack, [id])
    },
  }
}
