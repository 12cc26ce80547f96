/**
 * Knex on `node:sqlite`, in a thread. It must be the very library the prepared statements use: SQLite's locks are the
 * process's, so two copies of SQLite in one process do not see each other's and write over each other
 * (sqlite.org/howtocorrupt.html §2.2.1).
 */
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { Knex } from 'knex'
import type { Answer, Bound, Request } from './sqlite-thread.ts'

type Outcome = { lastID?: number; changes?: number }
type Called = (this: Outcome, error: Error | null, rows?: unknown[]) => void

/** What knex's SQLite dialect calls on a connection. */
export type SqliteConnection = {
  all(sql: string, values: unknown[], called: Called): void
  run(sql: string, values: unknown[], called: Called): void
  exec(sql: string, called: (error: Error | null) => void): void
  close(called: (error: Error | null) => void): void
}

function openConnection(file: string): SqliteConnection {
  const thread = new Worker(new URL('./sqlite-thread.ts', import.meta.url), { workerData: file })
  const waiting = new Map<number, Called>()
  let last = 0
  let ended: Error | undefined

  // A connection that is idle keeps no process alive.
  const settle = () => (waiting.size > 0 ? thread.ref() : thread.unref())
  const end = (error: Error) => {
    ended ??= error
    for (const called of waiting.values()) called.call({}, ended)
    waiting.clear()
  }
  settle()
  thread.on('message', (answer: Answer) => {
    const called = waiting.get(answer.id)
    waiting.delete(answer.id)
    settle()
    if ('failure' in answer) {
      const { message, ...codes } = answer.failure
      called?.call({}, Object.assign(new Error(message), codes))
    } else if ('rows' in answer) called?.call({}, null, answer.rows)
    else called?.call(answer, null)
  })
  thread.on('error', (error) => end(error instanceof Error ? error : new Error(String(error))))
  thread.on('exit', () => end(new Error('the database connection is closed')))

  const send = (how: Request['how']) => (sql: string, values: unknown[], called: Called) => {
    if (ended) return called.call({}, ended)
    last++
    waiting.set(last, called)
    settle()
    thread.postMessage({ id: last, how, sql, values: (values ?? []).map(bind) } satisfies Request)
  }
  return {
    all: send('all'),
    run: send('run'),
    exec: (sql, called) => send('exec')(sql, [], (error) => called(error)),
    close(called) {
      if (ended) return called(null)
      thread.ref()
      thread.once('exit', () => called(null))
      thread.postMessage('close')
    },
  }
}

function bind(value: unknown): Bound {
  if (value === undefined) return null
  if (typeof value === 'boolean') return Number(value)
  if (value instanceof Date) return value.valueOf()
  return value as Bound
}

// Knex's dialects are no part of its types.
const Dialect: typeof Knex.Client = createRequire(import.meta.url)(
  'knex/lib/dialects/sqlite3/index.js',
)

/** For `client` in knex's configuration. */
export class SqliteClient extends Dialect {
  // Nothing to require: the library is Node's own.
  _driver() {
    return {}
  }

  override async acquireRawConnection() {
    const { filename } = this.connectionSettings as { filename: string }
    return openConnection(filename)
  }
}
