/** The thread behind knex's SQLite connection: it may wait for a lock or a slow disk, the event loop may not. */
import type { StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

export type Request = { id: number; how: 'all' | 'run' | 'exec'; sql: string; values: Bound[] }
export type Bound = string | number | bigint | null | Uint8Array
export type Failure = { message: string; code: string; errcode?: number }
export type Answer =
  | { id: number; rows: unknown[] }
  | { id: number; lastID: number; changes: number }
  | { id: number; failure: Failure }

// Node says once that this module is young; an operator can do nothing about it.
process.emitWarning = () => {}
const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
const database = new DatabaseSync(workerData)
/** Text to statement, oldest first. Knex makes few different ones. */
const prepared = new Map<string, StatementSync>()

function prepare(sql: string): StatementSync {
  const known = prepared.get(sql)
  if (known) return known
  const fresh = database.prepare(sql)
  prepared.set(sql, fresh)
  const [oldest] = prepared.keys()
  if (prepared.size > 200 && oldest !== undefined) prepared.delete(oldest)
  return fresh
}

function answer({ id, how, sql, values }: Request): Answer {
  if (how === 'exec') {
    database.exec(sql)
    return { id, rows: [] }
  }
  if (how === 'all') return { id, rows: prepare(sql).all(...values) }
  const { lastInsertRowid, changes } = prepare(sql).run(...values)
  return { id, lastID: Number(lastInsertRowid), changes: Number(changes) }
}

function failed(id: number, error: unknown): Answer {
  const { message, errcode } = error as Error & { errcode?: number }
  // The low byte is the kind, whatever the extended code says.
  const code = { 5: 'SQLITE_BUSY', 19: 'SQLITE_CONSTRAINT' }[(errcode ?? 0) & 0xff]
  return { id, failure: { message, code: code ?? 'SQLITE_ERROR', errcode } }
}

parentPort?.on('message', (request: Request | 'close') => {
  if (request === 'close') {
    prepared.clear()
    database.close()
    parentPort?.close()
    return
  }
  try {
    parentPort?.postMessage(answer(request))
  } catch (error) {
    parentPort?.postMessage(failed(request.id, error))
  }
})
