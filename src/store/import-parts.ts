/** The rows of a file people are brought in from, sealed, some hundred at a time. */
import { type Row, type Statements, statement } from './statements.ts'

export type ImportPart = { importId: string; firstRow: number; lastRow: number; sealed: string }

export type ImportParts = {
  add(part: ImportPart): Promise<void>
  /** The rows that come after this one. */
  after(id: string, row: number): Promise<ImportPart | undefined>
  reseal(part: ImportPart): Promise<void>
  drop(part: ImportPart): Promise<void>
  dropAll(id: string): Promise<void>
}

const columns = 'import_id, first_row, last_row, sealed'
const add = statement(
  'people-import-part.add',
  `INSERT INTO people_import_part (${columns}) VALUES (?, ?, ?, ?)`,
)
const after = statement(
  'people-import-part.after',
  `SELECT ${columns} FROM people_import_part WHERE import_id = ? AND last_row > ? ORDER BY first_row LIMIT 1`,
)
const reseal = statement(
  'people-import-part.reseal',
  'UPDATE people_import_part SET sealed = ? WHERE import_id = ? AND first_row = ?',
)
const drop = statement(
  'people-import-part.drop',
  'DELETE FROM people_import_part WHERE import_id = ? AND first_row = ?',
)
const dropAll = statement(
  'people-import-part.drop-all',
  'DELETE FROM people_import_part WHERE import_id = ?',
)

export function openImportParts(statements: Statements): ImportParts {
  return {
    async add({ importId, firstRow, lastRow, sealed }) {
      await statements.run(add, [importId, firstRow, lastRow, sealed])
    },
    async after(id, behind) {
      const [row] = await statements.run(after, [id, behind])
      return row && read(row)
    },
    async reseal({ importId, firstRow, sealed }) {
      await statements.run(reseal, [sealed, importId, firstRow])
    },
    async drop({ importId, firstRow }) {
      await statements.run(drop, [importId, firstRow])
    },
    async dropAll(id) {
      await statements.run(dropAll, [id])
    },
  }
}

const read = (row: Row): ImportPart => ({
  importId: String(row.import_id),
  firstRow: Number(row.first_row),
  lastRow: Number(row.last_row),
  sealed: String(row.sealed),
})
