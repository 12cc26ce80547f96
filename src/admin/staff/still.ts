/** Whether who began something that takes its time may still do it: asked anew as it goes on, in one statement. */
import type { Tables } from '#store/store.ts'
import { type By, type Grant, type Permission, reachOf } from '../staff.ts'
import { isOperator } from './grants.ts'

/** False as soon as a role is taken or narrowed, the account is suspended or closed, the program switched off. */
export async function mayStill(
  { staffRoles }: Pick<Tables, 'staffRoles'>,
  { actor, scopes }: Pick<By, 'actor' | 'scopes'>,
  permission: Permission,
): Promise<boolean> {
  if (isOperator(actor)) return true
  const grants = (await staffRoles.ofActive(actor)) as unknown as Grant[]
  // Narrowed she reaches less than what she began with.
  return reachOf({ actor, grants, ...(scopes ? { scopes } : {}) }, permission)?.kind === 'all'
}
