/** What staff can do about imports of people; the file itself is taken in by `receiveImport`. */

import { z } from 'zod'
import { isoTime } from '#lib/time.ts'
import { importStates, type PeopleImportRow } from '#store/store.ts'
import { rowProblems, warnings } from '../imports/problems.ts'
import { notesOfReason, reasonShape } from '../imports/reasons.ts'
import { nudge } from '../imports/receive.ts'
import { existing, importRules } from '../imports/rules.ts'
import { type Acting, done, nothing, type Operation, operation, unknown } from '../operation.ts'
import { byAge, cutPage, paged, pageOf, readCursor, strangeCursor } from '../paging.ts'
import type { AdminPorts } from '../ports.ts'
import { time } from '../times.ts'

export { importStates } from '#store/store.ts'

const peopleImport = z.object({
  id: z.string(),
  /** Its name, as it was sent. */
  file: z.string(),
  state: z.enum(importStates),
  existing: z.enum(existing),
  total: z.int(),
  checked: z.int(),
  done: z.int(),
  /** What became of the rows; until it is imported, what would. */
  created: z.int(),
  updated: z.int(),
  same: z.int(),
  refused: z.int(),
  warned: z.int(),
  /** Rows a second, and seconds until it is through; while it is under way. */
  rate: z.number().optional(),
  secondsLeft: z.int().optional(),
  /** Why it failed, or stands still. */
  problem: z.string().optional(),
  createdBy: z.string(),
  startedBy: z.string().optional(),
  /** Who went on with it after it was stopped. */
  resumedBy: z.string().optional(),
  createdAt: time,
  updatedAt: time,
  /** The rows are removed then, imported or not; the report stays. */
  expiresAt: time,
})
export type PeopleImport = z.output<typeof peopleImport>

const importNote = z.object({
  row: z.int(),
  outcome: z.enum(['refused', 'warned']),
  problems: z.array(
    z.object({
      field: z.string(),
      code: z.string(),
      message: z.string(),
      /** Another row of the file it is about. */
      row: z.int().optional(),
    }),
  ),
  /** Whose account the row is about, where there is one. */
  accountId: z.string().optional(),
})

function shown(row: PeopleImportRow): z.input<typeof peopleImport> {
  const { problem, startedBy, resumedBy, state, total, checked, done: through } = row
  const underway = state === 'checking' || state === 'importing'
  const behind = state === 'checking' ? checked : through
  const took = Math.max(1, row.updatedAt - row.phaseAt)
  const rate = (behind - row.phaseFrom) / took
  const progress = {
    rate: Math.round(rate * 10) / 10,
    secondsLeft: Math.ceil((total - behind) / rate),
  }
  const { id, file, created, updated, same, refused, warned, createdBy } = row
  return {
    id,
    file,
    state,
    existing: importRules.parse(row.rules).existing,
    total,
    checked,
    done: through,
    created,
    updated,
    same,
    refused,
    warned,
    ...(underway && rate > 0 ? progress : {}),
    ...(problem === undefined ? {} : { problem }),
    createdBy,
    ...(startedBy === undefined ? {} : { startedBy }),
    ...(resumedBy === undefined ? {} : { resumedBy }),
    createdAt: isoTime(row.createdAt),
    updatedAt: isoTime(row.updatedAt),
    expiresAt: isoTime(row.expiresAt),
  }
}

const one = z.strictObject({ id: z.uuid() })
const permission = 'people.import'

export const listImports = operation({
  id: 'imports.list',
  summary: 'Lists imports of people, the newest first.',
  permission,
  method: 'GET',
  path: '/imports',
  input: z.strictObject({ ...paged, state: z.enum(importStates).optional() }),
  output: pageOf(peopleImport),
  async run({ store }, _by, { cursor, limit, state }) {
    const after = cursor === undefined ? undefined : readCursor(cursor, byAge)
    if (cursor !== undefined && !after) return strangeCursor
    const rows = await store.peopleImports.list(after, limit + 1, state)
    const { items, ...page } = cutPage(rows, limit, (row) => [row.createdAt, row.id])
    return done({ items: items.map(shown), ...page })
  },
})

export const getImport = operation({
  id: 'imports.get',
  summary: 'Says how far an import is, and what became of its rows.',
  permission,
  method: 'GET',
  path: '/imports/{id}',
  input: one,
  output: peopleImport,
  async run({ store }, _by, { id }) {
    const row = await store.peopleImports.find(id)
    return row ? done(shown(row)) : unknown
  },
})

export const listImportNotes = operation({
  id: 'imports.notes',
  summary: 'Lists rows of an import that were refused or have a warning.',
  permission,
  method: 'GET',
  path: '/imports/{id}/notes',
  input: one.extend({
    ...paged,
    /** Only rows with this one: `column:code`, as `imports.reasons` has them. */
    reason: z.string().regex(reasonShape).optional(),
  }),
  output: pageOf(importNote),
  async run({ store }, _by, { id, cursor, limit, reason }) {
    if (!(await store.peopleImports.find(id))) return unknown
    const place = cursor === undefined ? [0] : readCursor(cursor, z.tuple([z.int().max(1_000_000)]))
    if (!place) return strangeCursor
    const [after = 0] = place
    const { items, ...page } =
      reason === undefined
        ? cutPage(await store.importNotes.after(id, after, limit + 1), limit, ({ row }) => [row])
        : await notesOfReason(store, id, reason, { after, limit })
    return done({
      items: items.map(({ problems, ...note }) => ({
        ...note,
        problems: problems.map((problem) => ({ ...problem, message: messageOf(problem.code) })),
      })),
      ...page,
    })
  },
})

export const listImportReasons = operation({
  id: 'imports.reasons',
  summary:
    'Counts the rows of an import by the reason for which they were refused or have a warning.',
  permission,
  method: 'GET',
  path: '/imports/{id}/reasons',
  input: one,
  output: z.object({
    items: z.array(
      z.object({
        field: z.string(),
        code: z.string(),
        message: z.string(),
        outcome: z.enum(['refused', 'warned']),
        rows: z.int(),
        /** The first of them. */
        examples: z.array(z.int()),
        lastRow: z.int(),
      }),
    ),
  }),
  async run({ store }, _by, { id }) {
    if (!(await store.peopleImports.find(id))) return unknown
    const reasons = await store.importReasons.of(id)
    return done({
      items: reasons.map((one) => ({
        ...one,
        message: messageOf(one.code),
        outcome: warnings.has(one.code) ? ('warned' as const) : ('refused' as const),
      })),
    })
  },
})

/** English, for the API and the command line. */
export const messageOf = (code: string): string =>
  (rowProblems as Record<string, string>)[code] ?? code

/** Another state, in the audit trail, and under way at once. */
async function turned(
  ports: AdminPorts,
  { at, actor, where }: Acting,
  id: string,
  action: string,
  turn: (imports: AdminPorts['store']['peopleImports']) => Promise<boolean>,
) {
  const { store } = ports
  if (!(await store.peopleImports.find(id))) return unknown
  const did = await store.transaction(async (tables) => {
    if (!(await turn(tables.peopleImports))) return false
    const event = { action: `import.${action}`, target: `import:${id}`, outcome: 'ok' }
    await tables.audit.record({ at, actor, ...event, ...where })
    return true
  })
  if (!did) return { kind: 'refused' as const, why: 'import-state' }
  nudge(ports)
  return done({})
}

export const startImport = operation({
  id: 'imports.start',
  summary: 'Imports the rows of a file that was checked, those that were not refused.',
  permission,
  dangerous: true,
  method: 'POST',
  path: '/imports/{id}/start',
  input: one,
  output: nothing,
  run: (ports, by, { id }) =>
    turned(ports, by, id, 'start', (imports) => imports.start(id, by.actor, by.at)),
})

export const stopImport = operation({
  id: 'imports.stop',
  summary: 'Stops an import; what is imported stays, the rest waits.',
  permission,
  method: 'POST',
  path: '/imports/{id}/stop',
  input: one,
  output: nothing,
  run: (ports, by, { id }) =>
    turned(ports, by, id, 'stop', (imports) =>
      imports.turn(id, ['checking', 'importing'], 'stopped', by.at),
    ),
})

export const resumeImport = operation({
  id: 'imports.resume',
  summary: 'Goes on with an import that was stopped, after the last row that was done.',
  permission,
  dangerous: true,
  method: 'POST',
  path: '/imports/{id}/resume',
  input: one,
  output: nothing,
  run: (ports, by, { id }) =>
    turned(ports, by, id, 'resume', (imports) => imports.resume(id, by.actor, by.at)),
})

export const removeImport = operation({
  id: 'imports.remove',
  summary: 'Removes an import with its report; people it made stay.',
  permission,
  method: 'DELETE',
  path: '/imports/{id}',
  input: one,
  output: nothing,
  async run({ store }, by, { id }) {
    const { at, actor, where } = by
    if (!(await store.peopleImports.find(id))) return unknown
    const removed = await store.transaction(async (tables) => {
      if (!(await tables.peopleImports.remove(id))) return false
      const event = { action: 'import.remove', target: `import:${id}`, outcome: 'ok' }
      await tables.audit.record({ at, actor, ...event, ...where })
      return true
    })
    // Half of it would be done, and nobody could tell which half.
    const runs = !removed && (await store.peopleImports.find(id))
    return runs ? { kind: 'refused', why: 'import-running' } : done({})
  },
})

export const importsOperations: readonly Operation[] = [
  listImports,
  getImport,
  listImportNotes,
  listImportReasons,
  startImport,
  stopImport,
  resumeImport,
  removeImport,
]
