/** Switches an app off and on, or takes it away. */
import { clip, visibleLetters } from '#lib/prose.ts'
import { beginEnding, endRest, finishEnding, isEnding } from '#oidc/ending.ts'
import type { ClientRow, Tables } from '#store/store.ts'
import { type Acting, done, type Outcome, rejected } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { changedMeanwhile, changing, keepChange, record, type Who } from './changes.ts'

type Ports = Pick<AdminPorts, 'store' | 'provider'>

/** Whether `typed` is the app's name as pages show it: a long one is clipped, and an invisible one is shown as the id. */
export function isNamed({ id, name }: Pick<ClientRow, 'id' | 'name'>, typed: string): boolean {
  const letters = visibleLetters(typed)
  const names = [name, clip(name)].map(visibleLetters)
  return names[0] === '' ? letters === visibleLetters(id) : names.includes(letters)
}

export const misnamed = rejected('name', 'must be the app’s name, exactly', 'confirm')

/** It is refused from now on; what it was issued ends, and it hears that everybody signed out. It stays registered. */
export async function disable(
  ports: Ports,
  by: Acting,
  { id, name }: { id: string; name: string },
): Promise<Outcome<{ id: string }>> {
  return changing(ports, by, id, async (tables, row) => {
    if (row.disabledAt !== undefined) return { kind: 'refused', why: 'clients.disabled-already' }
    if (!isNamed(row, name)) return misnamed
    const next = { ...row, disabledAt: by.at }
    if (!(await keepChange(tables, row, next, by, { because: 'disable' }))) return changedMeanwhile
    await beginEnding(tables, row, { at: by.at, removed: false })
    return done({ id })
  })
}

const stillEnding = { kind: 'conflict', why: 'what it was issued is still being ended' } as const

/** People sign in to it again, with the secrets and settings it had, once nothing is left of what it was issued. */
export async function enable(
  ports: Ports,
  by: Acting,
  id: string,
): Promise<Outcome<{ id: string }>> {
  const outcome = await changing<{ id: string }>(ports, by, id, async (tables, row) => {
    const { disabledAt, ...next } = row
    if (disabledAt === undefined) return { kind: 'refused', why: 'clients.enabled-already' }
    if (await isEnding(tables, id)) return stillEnding
    if (!(await keepChange(tables, row, next, by, { because: 'enable' }))) return changedMeanwhile
    await endRest(tables, row, by.at)
    return done({ id })
  })
  if (outcome !== stillEnding) return outcome
  await finishEnding(ports.store, id, by.at)
  return enable(ports, by, id)
}

/** `name`: typed, so that it is this app and no other. */
export async function remove(
  ports: Ports,
  by: Acting,
  { id, name }: { id: string; name: string },
): Promise<Outcome<{ id: string }>> {
  return changing(ports, by, id, async (tables, row) => {
    if (!isNamed(row, name)) return misnamed
    return (await takeAway(tables, row, by)) ? done({ id }) : { kind: 'unknown' }
  })
}

/** Everything that is kept of it, but the audit trail. */
export async function takeAway(tables: Tables, row: ClientRow, who: Who): Promise<boolean> {
  const { id } = row
  if (!(await tables.clients.remove(id))) return false
  await beginEnding(tables, row, { at: who.at, removed: true })
  await tables.consents.forgetClient(id)
  await tables.affiliationChoices.forgetClient(id)
  await tables.clientOwners.forgetClient(id)
  await tables.clientVersions.forgetClient(id)
  await tables.clientLogos.remove(id)
  // It may have acted as staff.
  for (const { holder, role, reach } of await tables.staffRoles.of(`client:${id}`)) {
    await tables.staffRoles.revoke({ holder, role, reach })
  }
  await record(tables, id, 'client.remove', who, {})
  return true
}
