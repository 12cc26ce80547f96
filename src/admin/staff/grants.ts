/** What roles may be given, and by whom: nobody gives what is not hers. */
import { z } from 'zod'
import type { Config } from '#config/load.ts'
import type { Tables } from '#store/store.ts'
import { type FieldProblem, rejected } from '../operation.ts'
import { type Grant, narrowings, roles } from '../staff.ts'

export const roleName = z.enum(roles)

export const grantReach = z
  .string()
  .max(48)
  .refine((text) => /^(own|county:[a-z0-9][a-z0-9-]*)?$/.test(text), {
    error: 'must be empty, own or county:<upstream>',
    params: { code: 'reach' },
  })
  .default('')
  .describe('Empty: everywhere. `own`: apps one owns. `county:<id>`: people and upstreams there.')

export const grant = z.strictObject({ role: roleName, reach: grantReach })

/** What is wrong with a role as it is wanted; `field` is where it was wanted. */
export function problemWith(
  { role, reach }: { role: Grant['role']; reach: string },
  { connectors }: Pick<Config, 'connectors'>,
  field: string,
): FieldProblem | undefined {
  if (reach === '') return undefined
  const [kind, county] = reach.split(':', 2)
  const wrong = (message: string, code: string) => rejected(field, message, code).problems[0]
  if (!narrowings[role].some((one) => one === kind))
    return wrong(`the role ${role} cannot be narrowed to ${reach}`, 'reach')
  if (kind === 'county' && !connectors.some(({ id }) => id === county))
    return wrong(`there is no upstream ${county}`, 'county')
  return undefined
}

/** Acting at the command line: a link made there was on a screen, whether a letter was sent as well or not. */
export const isOperator = (actor: string): boolean => actor.startsWith('operator:')

/**
 * Whether who gave it may still give it: an operator, or somebody who owns everything. Call it inside a transaction: it
 * stays so until that ends.
 */
export async function mayGive(
  { staffRoles, accounts, clients }: Pick<Tables, 'staffRoles' | 'accounts' | 'clients'>,
  giver: string,
): Promise<boolean> {
  if (isOperator(giver)) return true
  if (!(await staffRoles.lockEverywhere('owner')).includes(giver)) return false
  if (giver.startsWith('client:')) {
    const client = await clients.find(giver.slice('client:'.length))
    return client !== undefined && client.disabledAt === undefined
  }
  return (await accounts.find(giver))?.status === 'active'
}
