/** Sealed notes that wait in one browser: how far an invitation has come, or a form whose sender has to sign in anew. */
import { type Row, type Statements, statement } from './statements.ts'

export type StaffAcceptanceRow = {
  /** SHA-256 of the invitation, or of what the form is known by, and of the browser. */
  id: string
  sealed: string
  expiresAt: number
}

export type StaffAcceptances = {
  /** In place of an earlier one under the same id. */
  keep(row: StaffAcceptanceRow): Promise<void>
  find(id: string, at: number): Promise<StaffAcceptanceRow | undefined>
  /** In place of the one that was seen. True for exactly one caller, however many race; false if it is another one by now. */
  goOn(
    seen: Pick<StaffAcceptanceRow, 'id' | 'sealed'>,
    next: Omit<StaffAcceptanceRow, 'id'>,
  ): Promise<boolean>
  /** Removes it. True for exactly one caller, however many race; false also if it is another one by now. */
  take(seen: Pick<StaffAcceptanceRow, 'id' | 'sealed'>, at: number): Promise<boolean>
}

const keep = statement(
  'staff-acceptance.keep',
  `INSERT INTO staff_acceptance (id, sealed, expires_at) VALUES (?, ?, ?)
   ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at`,
)
const find = statement(
  'staff-acceptance.find',
  'SELECT id, sealed, expires_at FROM staff_acceptance WHERE id = ? AND expires_at > ?',
)
const goOn = statement(
  'staff-acceptance.go-on',
  'UPDATE staff_acceptance SET sealed = ?, expires_at = ? WHERE id = ? AND sealed = ? RETURNING id',
)
const take = statement(
  'staff-acceptance.take',
  'DELETE FROM staff_acceptance WHERE id = ? AND sealed = ? AND expires_at > ? RETURNING id',
)

export function openStaffAcceptances(statements: Statements): StaffAcceptances {
  return {
    async keep({ id, sealed, expiresAt }) {
      await statements.run(keep, [id, sealed, expiresAt])
    },
    async find(id, at) {
      const [row] = await statements.run(find, [id, at])
      return row && read(row)
    },
    goOn: async (seen, { sealed, expiresAt }) =>
      (await statements.run(goOn, [sealed, expiresAt, seen.id, seen.sealed])).length === 1,
    take: async ({ id, sealed }, at) => (await statements.run(take, [id, sealed, at])).length === 1,
  }
}

const read = (row: Row): StaffAcceptanceRow => ({
  id: String(row.id),
  sealed: String(row.sealed),
  expiresAt: Number(row.expires_at),
})
