/** Erases what closed accounts held, once nobody can have them back any more. */
import { type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'
import type { Job } from './runner.ts'

/** Accounts at a time: each is a transaction of its own, and others write in between. */
const batch = 50

export function openErasing(
  store: Pick<Store, 'accounts' | 'transaction'>,
  now: Now,
  graceSeconds: number,
): Job {
  async function erase(accountId: string, before: number, at: number) {
    await store.transaction(async (tables) => {
      // She may have had it back just now.
      for (const target of await tables.erasure.erase(accountId, before, at)) {
        const event = { action: 'account.erase', target, outcome: 'ok' }
        await tables.audit.record({ at, actor: 'system', ...event })
      }
    })
  }

  return {
    name: 'erase-closed',
    everySeconds: 3600,
    async run(signal) {
      const at = seconds(now)
      const before = at - graceSeconds
      while (!signal.aborted) {
        const due = await store.accounts.closedBefore(before, batch)
        for (const accountId of due) {
          if (signal.aborted) return
          await erase(accountId, before, at)
        }
        if (due.length < batch) return
      }
    },
  }
}
