/** Somebody with a password, without the rules new ones are held to: poisoned names, hashes that cost nothing. */
import { randomUUID } from 'node:crypto'
import { putLocalAccount } from '#accounts/local.ts'
import { indexIn } from '#accounts/people-keys.ts'
import type { House } from '#http/house.ts'
import { seconds } from '#lib/time.ts'

/** Her id. Rejects where somebody has the name, and makes nothing then. */
export async function makeLocalAccount(
  { store, now, passwords }: Pick<House, 'store' | 'now' | 'passwords'>,
  { account, name, password }: { account: string; name: string; password: string },
): Promise<string> {
  const at = seconds(now)
  const accountId = randomUUID()
  const secret = await passwords.hash(password)
  await store.transaction(async (tables) => {
    const wanted = { account, name, by: 'staff', accountId, secret }
    if (!(await putLocalAccount(tables, wanted, at))) throw new Error(`${account} is taken`)
    await indexIn(tables, [accountId])
    const made = { action: 'account.create', target: accountId, outcome: 'ok' }
    await tables.audit.record({ at, actor: 'operator:test', ...made })
  })
  return accountId
}
