/** People who are brought in from a file: how far each import is. */
import { openImportNotes } from './import-notes.ts'
import { openImportReasons } from './import-reasons.ts'
import { type Row, type Statements, statement, type Value } from './statements.ts'

/** `receiving`: it is being uploaded. `checking`: a dry run. `checked`: somebody has to say whether it is done. */
export const importStates = [
  'receiving',
  'checking',
  'checked',
  'importing',
  'done',
  'stopped',
  'failed',
] as const
export type ImportState = (typeof importStates)[number]

/** How many rows came to what. While they are checked: would come. */
export type ImportCounts = Record<'created' | 'updated' | 'same' | 'refused' | 'warned', number>

export type PeopleImportRow = ImportCounts & {
  id: string
  /** The file's name, as the browser said it. */
  file: string
  state: ImportState
  rules: Record<string, unknown>
  total: number
  /** The last row of the file the phase is through with. */
  position: number
  checked: number
  done: number
  problem?: string
  createdBy: string
  startedBy?: string
  /** Who went on with the phase it is in after it was stopped. */
  resumedBy?: string
  createdAt: number
  /** When the phase began or went on, and with how many rows behind it. */
  phaseAt: number
  phaseFrom: number
  updatedAt: number
  /** Its rows are removed then. */
  expiresAt: number
}

export type ImportPlace = Pick<PeopleImportRow, 'createdAt' | 'id'>

type Held = Pick<PeopleImportRow, 'id' | 'state' | 'position'>
type Advance = Held & {
  to: { state: ImportState; position: number }
  rows: number
  counts: ImportCounts
  at: number
}

export type PeopleImports = {
  begin(
    row: Pick<PeopleImportRow, 'id' | 'file' | 'rules' | 'createdBy' | 'createdAt' | 'expiresAt'>,
  ): Promise<void>
  /** So many rows more came in. False if the import is gone or no longer receives. */
  grow(id: string, rows: number, at: number): Promise<boolean>
  find(id: string): Promise<PeopleImportRow | undefined>
  /** The newest first; of this state only, if given. */
  list(
    after: ImportPlace | undefined,
    limit: number,
    state?: ImportState,
  ): Promise<PeopleImportRow[]>
  /** The one that has waited longest to be checked or imported, before all that failed. */
  next(): Promise<PeopleImportRow | undefined>
  /**
   * True if it is still in this state and at this row: then nobody moves it until the transaction ends. Call it inside
   * one, before anything else.
   */
  hold(held: Held): Promise<boolean>
  /** It came no further this time. How often in a row; undefined if it has moved meanwhile. */
  stumble(held: Held): Promise<number | undefined>
  /** Goes on from where it was held, with what became of the rows between. */
  advance(step: Advance): Promise<void>
  /** From one of these states to another. True for exactly one caller. */
  turn(
    id: string,
    from: readonly ImportState[],
    to: ImportState,
    at: number,
    problem?: string,
  ): Promise<boolean>
  /** What was checked is imported from now on, from its first row. True for exactly one caller. Call it inside a transaction. */
  start(id: string, by: string, at: number): Promise<boolean>
  /** Goes on after it was stopped, from now on in this name. True for exactly one caller. */
  resume(id: string, by: string, at: number): Promise<boolean>
  /** False if it is gone, or is being imported just now. */
  remove(id: string): Promise<boolean>
  /** Uploads nobody goes on with, and imports whose time is over though they are not done. */
  overdue(receivedBefore: number, at: number): Promise<Pick<PeopleImportRow, 'id' | 'state'>[]>
}

const columns = `id, file, state, rules, total, position, checked, done, created, updated, same, refused, warned, problem,
  created_by, started_by, resumed_by, created_at, phase_at, phase_from, updated_at, expires_at`
const begin = statement(
  'people-import.begin',
  `INSERT INTO people_import (id, file, state, rules, total, created_by, created_at, phase_at, updated_at, expires_at)
   VALUES (?, ?, 'receiving', ?, 0, ?, ?, ?, ?, ?)`,
)
const grow = statement(
  'people-import.grow',
  `UPDATE people_import SET total = total + ?, updated_at = ? WHERE id = ? AND state = 'receiving' RETURNING id`,
)
const find = statement('people-import.find', `SELECT ${columns} FROM people_import WHERE id = ?`)
const list = statement(
  'people-import.list',
  `SELECT ${columns} FROM people_import WHERE created_at < ? OR (created_at = ? AND id < ?)
   ORDER BY created_at DESC, id DESC LIMIT ?`,
)
const listOfState = statement(
  'people-import.list-of-state',
  `SELECT ${columns} FROM people_import WHERE state = ? AND (created_at < ? OR (created_at = ? AND id < ?))
   ORDER BY created_at DESC, id DESC LIMIT ?`,
)
const next = statement(
  'people-import.next',
  `SELECT ${columns} FROM people_import WHERE state IN ('checking', 'importing') ORDER BY tries, phase_at, id LIMIT 1`,
)
const hold = statement(
  'people-import.hold',
  'UPDATE people_import SET position = position WHERE id = ? AND state = ? AND position = ? RETURNING id',
)
const stumble = statement(
  'people-import.stumble',
  'UPDATE people_import SET tries = tries + 1 WHERE id = ? AND state = ? AND position = ? RETURNING tries',
)
const advance = statement(
  'people-import.advance',
  `UPDATE people_import SET state = ?, position = ?, tries = 0, checked = checked + ?, done = done + ?, created = created + ?,
     updated = updated + ?, same = same + ?, refused = refused + ?, warned = warned + ?, updated_at = ?
   WHERE id = ?`,
)
const turn = statement(
  'people-import.turn',
  `UPDATE people_import SET state = ?, problem = ?, tries = 0, phase_at = ?, phase_from = CASE WHEN started_by IS NULL THEN checked ELSE done END,
     updated_at = ? WHERE id = ? AND state = ? RETURNING id`,
)
const start = statement(
  'people-import.start',
  `UPDATE people_import SET state = 'importing', started_by = ?, resumed_by = NULL, position = 0, done = 0, created = 0, updated = 0, same = 0,
     refused = 0, warned = 0, phase_at = ?, phase_from = 0, updated_at = ?
   WHERE id = ? AND state = 'checked' RETURNING id`,
)
const resume = statement(
  'people-import.resume',
  `UPDATE people_import SET state = CASE WHEN started_by IS NULL THEN 'checking' ELSE 'importing' END, resumed_by = ?, problem = NULL,
     tries = 0, phase_at = ?, phase_from = CASE WHEN started_by IS NULL THEN checked ELSE done END, updated_at = ?
   WHERE id = ? AND state = 'stopped' RETURNING id`,
)
const remove = statement(
  'people-import.remove',
  `DELETE FROM people_import WHERE id = ? AND state <> 'importing' RETURNING id`,
)
const overdue = statement(
  'people-import.overdue',
  `SELECT id, state FROM people_import WHERE (state = 'receiving' AND updated_at < ?)
     OR (expires_at <= ? AND state IN ('checking', 'checked', 'importing', 'stopped')) LIMIT 100`,
)

/** No moment comes after it. */
const farthest = Number.MAX_SAFE_INTEGER

export function openPeopleImports(statements: Statements): PeopleImports {
  const notes = openImportNotes(statements)
  const reasons = openImportReasons(statements)
  const run = (...args: Parameters<Statements['run']>) => statements.run(...args)
  const happened = async (...args: Parameters<Statements['run']>) =>
    (await run(...args)).length === 1
  return {
    async begin({ id, file, rules, createdBy, createdAt: at, expiresAt }) {
      await run(begin, [id, file, JSON.stringify(rules), createdBy, at, at, at, expiresAt])
    },
    grow: (id, rows, at) => happened(grow, [rows, at, id]),
    async find(id) {
      const [row] = await run(find, [id])
      return row && read(row)
    },
    async list({ createdAt, id } = { createdAt: farthest, id: '' }, limit, state) {
      const place = [createdAt, createdAt, id, limit]
      const rows = state ? await run(listOfState, [state, ...place]) : await run(list, place)
      return rows.map(read)
    },
    async next() {
      const [row] = await run(next, [])
      return row && read(row)
    },
    hold: ({ id, state, position }) => happened(hold, [id, state, position]),
    async stumble({ id, state, position }) {
      const [row] = await run(stumble, [id, state, position])
      return row && Number(row.tries)
    },
    async advance({ id, state, to, rows, counts, at }) {
      const { created, updated, same, refused, warned } = counts
      const through = state === 'checking' ? [rows, 0] : [0, rows]
      const became: Value[] = [created, updated, same, refused, warned]
      await run(advance, [to.state, to.position, ...through, ...became, at, id])
    },
    async turn(id, from, to, at, problem) {
      for (const state of from) {
        if (await happened(turn, [to, problem ?? null, at, at, id, state])) return true
      }
      return false
    },
    async start(id, by, at) {
      if (!(await happened(start, [by, at, at, id]))) return false
      await notes.clear(id)
      await reasons.clear(id)
      return true
    },
    resume: (id, by, at) => happened(resume, [by, at, at, id]),
    remove: (id) => happened(remove, [id]),
    async overdue(receivedBefore, at) {
      return (await run(overdue, [receivedBefore, at])).map(({ id, state }) => ({
        id: String(id),
        state: state as ImportState,
      }))
    },
  }
}

const read = (row: Row): PeopleImportRow => ({
  id: String(row.id),
  file: String(row.file),
  state: row.state as ImportState,
  rules: JSON.parse(String(row.rules)),
  total: Number(row.total),
  position: Number(row.position),
  checked: Number(row.checked),
  done: Number(row.done),
  created: Number(row.created),
  updated: Number(row.updated),
  same: Number(row.same),
  refused: Number(row.refused),
  warned: Number(row.warned),
  ...(row.problem === null ? {} : { problem: String(row.problem) }),
  createdBy: String(row.created_by),
  ...(row.started_by === null ? {} : { startedBy: String(row.started_by) }),
  ...(row.resumed_by === null ? {} : { resumedBy: String(row.resumed_by) }),
  createdAt: Number(row.created_at),
  phaseAt: Number(row.phase_at),
  phaseFrom: Number(row.phase_from),
  updatedAt: Number(row.updated_at),
  expiresAt: Number(row.expires_at),
})
