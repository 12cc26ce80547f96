/** Runs statements in a thread of their own, begun when the first one comes. */
import { Worker } from 'node:worker_threads'
import type { Sqlite } from './node-sqlite.ts'
import type { Answer, Request } from './sweep-thread.ts'

export type SweepThread = {
  run(sql: string, values: number[]): Promise<unknown[]>
  close(): Promise<void>
}

type Waiting = { resolve: (rows: unknown[]) => void; reject: (error: Error) => void }

export function openSweepThread(where: Sqlite): SweepThread {
  let thread: Worker | undefined
  let waiting = new Map<number, Waiting>()
  let last = 0
  let closed = false

  function begin(): Worker {
    const begun = new Worker(new URL('./sweep-thread.ts', import.meta.url), { workerData: where })
    const fail = (error: Error) => {
      if (thread === begun) thread = undefined
      const lost = waiting
      waiting = new Map()
      for (const { reject } of lost.values()) reject(error)
    }
    begun.on('message', (answer: Answer) => {
      const one = waiting.get(answer.id)
      waiting.delete(answer.id)
      // Idle, it keeps no process alive.
      if (waiting.size === 0) begun.unref()
      if ('rows' in answer) one?.resolve(answer.rows)
      else one?.reject(new Error(answer.failure))
    })
    begun.on('error', (error) => fail(error instanceof Error ? error : new Error(String(error))))
    begun.on('exit', () => fail(new Error('the sweeping thread has ended')))
    return begun
  }

  return {
    run: (sql, values) =>
      new Promise((resolve, reject) => {
        if (closed) throw new Error('the database is closed')
        thread ??= begin()
        last++
        waiting.set(last, { resolve, reject })
        thread.ref()
        thread.postMessage({ id: last, sql, values } satisfies Request)
      }),
    async close() {
      closed = true
      const ending = thread
      if (!ending) return
      thread = undefined
      ending.ref()
      const ended = new Promise<void>((resolve) => ending.once('exit', () => resolve()))
      ending.postMessage('close')
      await ended
    },
  }
}
