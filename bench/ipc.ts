/** Calls between the bench's processes: a name and an argument there, a result or an error's words back. */
import type { ChildProcess } from 'node:child_process'

type Call = { id: number; name: string; argument: unknown }
type Reply = { id: number; result?: unknown; error?: string }

type Handlers = Record<string, (argument: never) => unknown>

/** In the child: answers the parent's calls by name. */
export function answerCalls(handlers: Handlers): void {
  process.on('message', async ({ id, name, argument }: Call) => {
    const reply: Reply = { id }
    try {
      reply.result = await handlers[name]?.(argument as never)
    } catch (error) {
      reply.error = error instanceof Error ? (error.stack ?? error.message) : String(error)
    }
    process.send?.(reply)
  })
  // The parent is gone: nobody would end us.
  process.once('disconnect', () => process.exit(1))
}

export type CallTo = <T>(name: string, argument?: unknown) => Promise<T>

/** In the parent: calls one child. A child that ends rejects what is still open. */
export function callsTo(child: ChildProcess, title: string): CallTo {
  const open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let last = 0
  child.on('message', ({ id, result, error }: Reply) => {
    const call = open.get(id)
    open.delete(id)
    if (error === undefined) call?.resolve(result)
    else call?.reject(new Error(`${title}: ${error}`))
  })
  child.once('exit', (code, signal) => {
    for (const { reject } of open.values()) {
      reject(new Error(`${title} ended (${signal ?? `exit code ${code}`})`))
    }
  })
  return <T>(name: string, argument?: unknown) =>
    new Promise<T>((resolve, reject) => {
      if (!child.connected) throw new Error(`${title} has ended`)
      last += 1
      open.set(last, { resolve: (value) => resolve(value as T), reject })
      child.send({ id: last, name, argument } satisfies Call)
    })
}
