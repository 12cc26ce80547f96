/** Whether more than a sign-in guards an account. */
import type { Tables } from '#store/store.ts'

/**
 * True for an account with a second factor or a staff role: a password or a county's word alone must not lead around
 * those, nor move them to another account.
 */
export async function isGuarded(
  { secondFactors, staffRoles }: Pick<Tables, 'secondFactors' | 'staffRoles'>,
  accountId: string,
): Promise<boolean> {
  if ((await secondFactors.ofAccount(accountId)).length > 0) return true
  return (await staffRoles.of(accountId)).length > 0
}
