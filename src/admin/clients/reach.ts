/** Whose app it is to touch, and which settings are not everybody's to give. */
import { isApiScope } from '#oidc/api-resource.ts'
import type { ClientRow, Tables } from '#store/store.ts'
import type { Acting, FieldProblem } from '../operation.ts'
import { type By, scopeOf } from '../staff.ts'
import type { Settings } from './schema.ts'

/** The app, if there is one within her reach. */
export async function findWithin(
  tables: Pick<Tables, 'clients' | 'clientOwners'>,
  { reach }: Pick<Acting, 'reach'>,
  id: string,
): Promise<ClientRow | undefined> {
  const row = await tables.clients.find(id)
  if (!row || reach.kind === 'all') return row
  const { appsOf } = reach
  return appsOf !== undefined && (await tables.clientOwners.has(id, appsOf)) ? row : undefined
}

/** An owner; a program only if its token may change staff as well. */
export const mayGivePower = ({ grants, scopes }: By): boolean =>
  grants.some(({ role, reach }) => role === 'owner' && reach === '') &&
  (!scopes || scopes.has(scopeOf('staff.write')))

/** It acts as staff, so whoever has its secret may do what it may. */
export async function isPowerful(
  { staffRoles }: Pick<Tables, 'staffRoles'>,
  { id, metadata }: ClientRow,
): Promise<boolean> {
  const scopes = typeof metadata.scope === 'string' ? metadata.scope.split(' ') : []
  return scopes.some(isApiScope) || (await staffRoles.of(`client:${id}`)).length > 0
}

/** Settings that make an app trusted more than others: for those who answer for all apps. */
const reserved = ['firstParty', 'resourceServer', 'pkce', 'requireSecondFactor'] as const
type Reserved = (typeof reserved)[number]
const ordinary: Pick<Settings, Reserved> = {
  firstParty: false,
  resourceServer: undefined,
  pkce: true,
  requireSecondFactor: false,
}

/** Settings she changed that are not hers to change. Anybody may ask for a second factor, not everybody may waive it. */
export function beyondRole(
  by: Acting,
  before: Settings | undefined,
  after: Settings,
): FieldProblem[] {
  const was = before ?? ordinary
  const fields: string[] =
    by.reach.kind === 'all'
      ? []
      : reserved.filter(
          (field) =>
            was[field] !== after[field] &&
            !(field === 'requireSecondFactor' && after.requireSecondFactor),
        )
  const given = (after.scopes ?? []).filter(
    (scope) => isApiScope(scope) && !before?.scopes?.includes(scope),
  )
  if (given.length > 0 && !mayGivePower(by)) fields.push('scopes')
  return fields.map((field) => ({
    field,
    message: 'is not yours to set: ask an owner of this system',
    code: 'app-beyond-role',
  }))
}
