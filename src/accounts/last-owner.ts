/** Whether staff can still help themselves: somebody must be left who may do everything and can get in. */
import type { Tables } from '#store/store.ts'

/**
 * True where nobody else is left who owns everything: an account in use, with a second factor. Call it inside a
 * transaction: who owns everything stays so until it ends.
 */
export async function isLastOwner(
  {
    staffRoles,
    accounts,
    secondFactors,
  }: Pick<Tables, 'staffRoles' | 'accounts' | 'secondFactors'>,
  accountId: string,
): Promise<boolean> {
  const owners = await staffRoles.lockEverywhere('owner')
  if (!owners.includes(accountId)) return false
  for (const id of owners) {
    // A program cannot open the console.
    if (id === accountId || id.startsWith('client:')) continue
    const account = await accounts.find(id)
    if (account?.status === 'active' && (await secondFactors.ofAccount(id)).length > 0) return false
  }
  return true
}
