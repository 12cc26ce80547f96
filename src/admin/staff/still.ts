/** Whether whoever began a long piece of work may still do it: asked again while it goes on, in one statement. */
import type { Tables } from '#store/store.ts'
import { type By, grantsOf, type Permission, reachOf } from '../staff.ts'
import { isOperator } from './grants.ts'

/** False as soon as a role is taken or narrowed, the account is suspended or closed, the program switched off. */
export async function mayStill(
  { staffRoles }: Pick<Tables, 'staffRoles'>,
  { actor, scopes }: Pick<By, 'actor' | 'scopes'>,
  permission: Permission,
): Promise<boolean> {
  if (isOperator(actor)) return true
  const grants = grantsOf(await staffRoles.ofActive(actor))
  // A narrowed role reaches less than what the work was begun with.
  return reachOf({ actor, grants, ...(scopes ? { scopes } : {}) }, permission)?.kind === 'all'
}
