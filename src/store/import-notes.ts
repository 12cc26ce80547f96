/** What became of the rows of a file people are brought in from, and what is said of those something is said of. */
import { type Row, type Statements, statement } from './statements.ts'

export type ImportNote = {
  row: number
  outcome: 'refused' | 'warned'
  problems: { field: string; code: string; row?: number }[]
  accountId?: string
}

/** A letter for each row from `firstRow` on. */
export type ImportOutcomes = { firstRow: number; outcomes: string }

export type ImportNotes = {
  /** In place of what was noted of the rows from the first to the last. */
  note(id: string, range: { first: number; last: number }, notes: ImportNote[]): Promise<void>
  keepOutcomes(id: string, outcomes: ImportOutcomes): Promise<void>
  after(id: string, row: number, limit: number): Promise<ImportNote[]>
  outcomesAfter(id: string, firstRow: number, limit: number): Promise<ImportOutcomes[]>
  /** Forgets both, of all its rows. */
  clear(id: string): Promise<void>
}

const clearNotes = statement(
  'people-import-note.clear',
  'DELETE FROM people_import_note WHERE import_id = ? AND row BETWEEN ? AND ?',
)
const addNotes = statement('people-import-note.add', {
  sqlite: `INSERT INTO people_import_note (import_id, row, outcome, problems, account_id)
    SELECT ?, value->>'row', value->>'outcome', value->>'problems', value->>'account' FROM json_each(?)`,
  postgres: `INSERT INTO people_import_note (import_id, row, outcome, problems, account_id)
    SELECT ?, r."row", r.outcome, r.problems, r.account
    FROM json_to_recordset(?::json) AS r("row" int, outcome text, problems text, account text)`,
})
const clearOutcomes = statement(
  'people-import-outcome.clear',
  'DELETE FROM people_import_outcome WHERE import_id = ?',
)
const keepOutcomes = statement(
  'people-import-outcome.keep',
  `INSERT INTO people_import_outcome (import_id, first_row, outcomes) VALUES (?, ?, ?)
   ON CONFLICT (import_id, first_row) DO UPDATE SET outcomes = excluded.outcomes`,
)
const after = statement(
  'people-import-note.after',
  `SELECT row, outcome, problems, account_id FROM people_import_note WHERE import_id = ? AND row > ?
   ORDER BY row LIMIT ?`,
)
const outcomesAfter = statement(
  'people-import-outcome.after',
  `SELECT first_row, outcomes FROM people_import_outcome WHERE import_id = ? AND first_row > ?
   ORDER BY first_row LIMIT ?`,
)
/** PostgreSQL's integer. */
const farthestRow = 2_147_483_647

export function openImportNotes({ run }: Statements): ImportNotes {
  return {
    async note(id, { first, last }, notes) {
      await run(clearNotes, [id, first, last])
      if (notes.length === 0) return
      const rows = notes.map(({ row, outcome, problems, accountId = null }) => ({
        row,
        outcome,
        problems: JSON.stringify(problems),
        account: accountId,
      }))
      await run(addNotes, [id, JSON.stringify(rows)])
    },
    async keepOutcomes(id, { firstRow, outcomes }) {
      await run(keepOutcomes, [id, firstRow, outcomes])
    },
    async after(id, row, limit) {
      return (await run(after, [id, row, limit])).map(readNote)
    },
    async outcomesAfter(id, firstRow, limit) {
      return (await run(outcomesAfter, [id, firstRow, limit])).map((row) => ({
        firstRow: Number(row.first_row),
        outcomes: String(row.outcomes),
      }))
    },
    async clear(id) {
      await run(clearNotes, [id, 0, farthestRow])
      await run(clearOutcomes, [id])
    },
  }
}

export const readNote = (row: Row): ImportNote => ({
  row: Number(row.row),
  outcome: row.outcome as ImportNote['outcome'],
  problems: JSON.parse(String(row.problems)),
  ...(row.account_id === null ? {} : { accountId: String(row.account_id) }),
})
