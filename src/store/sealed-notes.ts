/** Sealed notes that wait in one browser: how far an invitation has come, or a form whose sender has to sign in anew. */
import { type Row, type Statements, statement } from './statements.ts'

export type SealedNoteRow = {
  /** SHA-256 of the invitation, or of what the form is known by, and of the browser. */
  id: string
  sealed: string
  expiresAt: number
}

export type SealedNotes = {
  /** In place of an earlier one under the same id. */
  keep(row: SealedNoteRow): Promise<void>
  find(id: string, at: number): Promise<SealedNoteRow | undefined>
  /** In place of the one that was seen. True for exactly one caller, however many race; false if it is another one by now. */
  goOn(
    seen: Pick<SealedNoteRow, 'id' | 'sealed'>,
    next: Omit<SealedNoteRow, 'id'>,
  ): Promise<boolean>
  /** Removes it. True for exactly one caller, however many race; false also if it is another one by now. */
  take(seen: Pick<SealedNoteRow, 'id' | 'sealed'>, at: number): Promise<boolean>
}

const keep = statement(
  'sealed-note.keep',
  `INSERT INTO sealed_note (id, sealed, expires_at) VALUES (?, ?, ?)
   ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at`,
)
const find = statement(
  'sealed-note.find',
  'SELECT id, sealed, expires_at FROM sealed_note WHERE id = ? AND expires_at > ?',
)
const goOn = statement(
  'sealed-note.go-on',
  'UPDATE sealed_note SET sealed = ?, expires_at = ? WHERE id = ? AND sealed = ? RETURNING id',
)
const take = statement(
  'sealed-note.take',
  'DELETE FROM sealed_note WHERE id = ? AND sealed = ? AND expires_at > ? RETURNING id',
)

export function openSealedNotes(statements: Statements): SealedNotes {
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

const read = (row: Row): SealedNoteRow => ({
  id: String(row.id),
  sealed: String(row.sealed),
  expiresAt: Number(row.expires_at),
})
