/** The thread SQLite is swept in: what a disk takes to keep it is not the event loop's time. */
import type { StatementSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { openFile, patience, type Sqlite, settings } from './node-sqlite.ts'

export type Request = { id: number; sql: string; values: number[] }
export type Answer = { id: number; rows: unknown[] } | { id: number; failure: string }

const where: Sqlite = workerData
const database = openFile(where.file)
// Here it may wait for a lock inside SQLite: nobody waits for this thread.
database.exec(`PRAGMA busy_timeout=${patience}; ${settings(where)}`)
// Sooner than by default: else those who sign in would move into the file what was written here, and wait for the disk.
database.exec('PRAGMA wal_autocheckpoint=250')
const prepared = new Map<string, StatementSync>()

function run({ id, sql, values }: Request): Answer {
  try {
    const statement = prepared.get(sql) ?? database.prepare(sql)
    prepared.set(sql, statement)
    return { id, rows: statement.all(...values) }
  } catch (error) {
    return { id, failure: error instanceof Error ? error.message : String(error) }
  }
}

parentPort?.on('message', (request: Request | 'close') => {
  if (request !== 'close') return parentPort?.postMessage(run(request))
  prepared.clear()
  database.close()
  parentPort?.close()
})
