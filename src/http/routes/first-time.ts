/** What is shown once is lost to a second click: a form that is sent again makes nothing more, and its page says so. */
import type { Barred, Outcome } from '#admin/operation.ts'
import { sha256 } from '#lib/crypto.ts'
import { day, seconds } from '#lib/time.ts'
import type { House } from '../house.ts'

/**
 * Does what a form of hers is sent for; undefined the second time it is sent. Where it came to nothing the same form is
 * good again. `once` is what the form carries; what carries none no browser sends twice.
 */
export async function firstTime<O extends Outcome<unknown> | Barred>(
  { store, now }: Pick<House, 'store' | 'now'>,
  actor: string,
  once: string | undefined,
  work: () => Promise<O>,
): Promise<O | undefined> {
  if (!once) return work()
  const id = sha256(`form ${actor} ${once}`)
  if (!(await store.usedOnce.use(id, seconds(now) + day))) return undefined
  let isDone = false
  try {
    const outcome = await work()
    isDone = outcome.kind === 'done'
    return outcome
  } finally {
    if (!isDone) await store.usedOnce.giveBack(id)
  }
}
