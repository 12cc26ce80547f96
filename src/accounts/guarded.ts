/** Whether more than a sign-in guards an account. */
import type { Tables } from '#store/store.ts'

/**
 * A second factor, which would be passed by where a password or a county is enough, or a role, which nobody should get
 * at, or lose, that way.
 */
export async function isGuarded(
  { secondFactors, staffRoles }: Pick<Tables, 'secondFactors' | 'staffRoles'>,
  accountId: string,
): Promise<boolean> {
  if ((await secondFactors.ofAccount(accountId)).length > 0) return true
  return (await staffRoles.of(accountId)).length > 0
}
