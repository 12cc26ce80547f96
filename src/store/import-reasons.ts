/** What is said of an import's rows, counted by reason while it is said: however many rows, there are few reasons. */
import { type ImportNote, readNote } from './import-notes.ts'
import { type Statements, statement } from './statements.ts'

export type ImportReason = {
  /** The column it is about. */
  field: string
  code: string
  /** How many rows it fits, and the first of them. */
  rows: number
  examples: number[]
  lastRow: number
}

export type ImportReasons = {
  /** Notes of rows behind all that were counted before. Call it inside the transaction that keeps them. */
  count(id: string, notes: readonly Pick<ImportNote, 'row' | 'problems'>[]): Promise<void>
  /** What fits most rows first. */
  of(id: string): Promise<ImportReason[]>
  /**
   * Notes that have it among the next so many behind a row, and the last row that was looked at, if there was any: so
   * much work it is and no more, wherever they are.
   */
  notesWith(
    id: string,
    reason: Pick<ImportReason, 'field' | 'code'>,
    after: number,
    most: { looked: number; found: number },
  ): Promise<{ notes: ImportNote[]; end?: number }>
  /** Forgets what was counted. */
  clear(id: string): Promise<void>
}

/** Rows that are named of each. */
const shown = 5

// Of one that has fewer the next ones are added, all that come with them too: they are cut when they are read.
const examplesThen = `CASE WHEN people_import_reason.row_count < ${shown}
  THEN people_import_reason.examples || ',' || excluded.examples ELSE people_import_reason.examples END`
const onTop = `ON CONFLICT (import_id, field, code) DO UPDATE SET row_count = people_import_reason.row_count + excluded.row_count,
    examples = ${examplesThen}, last_row = excluded.last_row`
const into =
  'INSERT INTO people_import_reason (import_id, field, code, row_count, examples, last_row)'
const count = statement('people-import-reason.count', {
  sqlite: `${into} SELECT ?, value->>'field', value->>'code', value->>'rows', value->>'examples', value->>'last'
    FROM json_each(?) WHERE true ${onTop}`,
  postgres: `${into} SELECT ?, r.field, r.code, r."rows", r.examples, r."last"
    FROM json_to_recordset(?::json) AS r(field text, code text, "rows" int, examples text, "last" int) ${onTop}`,
})
const of = statement(
  'people-import-reason.of',
  `SELECT field, code, row_count, examples, last_row FROM people_import_reason WHERE import_id = ?
   ORDER BY row_count DESC, field, code`,
)
const next = `SELECT row, outcome, problems, account_id FROM people_import_note WHERE import_id = ? AND row > ?
   ORDER BY row LIMIT ?`
const notesWith = statement('people-import-note.with', {
  sqlite: `SELECT row, outcome, problems, account_id FROM (${next}) AS n WHERE instr(problems, ?) > 0 ORDER BY row LIMIT ?`,
  postgres: `SELECT row, outcome, problems, account_id FROM (${next}) AS n WHERE strpos(problems, ?) > 0 ORDER BY row LIMIT ?`,
})
const end = statement(
  'people-import-note.end',
  `SELECT max(row) AS last_row FROM (SELECT row FROM people_import_note WHERE import_id = ? AND row > ? ORDER BY row LIMIT ?) AS n`,
)
const clear = statement(
  'people-import-reason.clear',
  'DELETE FROM people_import_reason WHERE import_id = ?',
)

export function openImportReasons({ run }: Statements): ImportReasons {
  return {
    async count(id, notes) {
      const counted = [...byReason(notes).values()]
      if (counted.length > 0) await run(count, [id, JSON.stringify(counted)])
    },
    async of(id) {
      return (await run(of, [id])).map((row) => ({
        field: String(row.field),
        code: String(row.code),
        rows: Number(row.row_count),
        examples: String(row.examples).split(',').slice(0, shown).map(Number),
        lastRow: Number(row.last_row),
      }))
    },
    async notesWith(id, reason, after, { looked, found }) {
      const [last] = await run(end, [id, after, looked])
      if (!last || last.last_row === null) return { notes: [] }
      const rows = await run(notesWith, [id, after, looked, written(reason), found])
      return { notes: rows.map(readNote), end: Number(last.last_row) }
    },
    async clear(id) {
      await run(clear, [id])
    },
  }
}

/** As it stands in a note's problems, which are JSON of ours. */
const written = ({ field, code }: { field: string; code: string }) =>
  JSON.stringify({ field, code }).slice(1, -1)

type Counted = { field: string; code: string; rows: number; examples: string; last: number }

function byReason(notes: readonly Pick<ImportNote, 'row' | 'problems'>[]): Map<string, Counted> {
  const counted = new Map<string, Counted>()
  for (const { row, problems } of notes) {
    for (const one of new Map(problems.map((each) => [written(each), each])).values()) {
      const { field, code } = one
      const before = counted.get(written(one))
      const rows = (before?.rows ?? 0) + 1
      const examples =
        rows > shown ? before?.examples : [before?.examples, row].filter(Boolean).join(',')
      counted.set(written(one), { field, code, rows, examples: examples ?? '', last: row })
    }
  }
  return counted
}
