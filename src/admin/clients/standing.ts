/** Switches an app off and on, or takes it away. */
import { clip, visibleLetters } from '#lib/prose.ts'
import { putFarewells } from '#oidc/backchannel.ts'
import type { ClientRow, Tables } from '#store/store.ts'
import { type Acting, done, type Outcome, rejected } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { changedMeanwhile, changing, keepChange, record, type Who } from './changes.ts'

type Ports = Pick<AdminPorts, 'store' | 'provider'>

/** Whether `typed` is the app's name as pages show it: a long one is clipped, and an invisible one is shown as the id. */
function isNamed({ id, name }: ClientRow, typed: string): boolean {
  const letters = visibleLetters(typed)
  const names = [name, clip(name)].map(visibleLetters)
  return names[0] === '' ? letters === visibleLetters(id) : names.includes(letters)
}

const misnamed = rejected('name', 'must be the app’s name, exactly', 'confirm')

/** What it was issued ends, and it hears that everybody signed out. It stays registered. */
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
    await putFarewells(tables, row, { at: by.at, removed: false })
    await tables.payloads.destroyClient(id)
    return done({ id })
  })
}

/** People sign in to it again, with the secrets and settings it had. */
export async function enable(
  ports: Ports,
  by: Acting,
  id: string,
): Promise<Outcome<{ id: string }>> {
  return changing(ports, by, id, async (tables, row) => {
    const { disabledAt, ...next } = row
    if (disabledAt === undefined) return { kind: 'refused', why: 'clients.enabled-already' }
    if (!(await keepChange(tables, row, next, by, { because: 'enable' }))) return changedMeanwhile
    // Another process may have issued something in the second before it heard.
    await tables.payloads.destroyClient(id)
    return done({ id })
  })
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
  await putFarewells(tables, row, { at: who.at, removed: true })
  if (!(await tables.clients.remove(id))) return false
  await tables.payloads.destroyClient(id)
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
