/** Staff close an upstream for everybody, and open it again: who comes back from it meanwhile is refused as well. */
import { randomUUID } from 'node:crypto'
import { type Acting, done, type Outcome } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'

type Ports = Pick<AdminPorts, 'store' | 'upstreamHealth'>
type Switched = Outcome<Record<string, never>>

/** A conflict where it is off already. Other processes follow within seconds. */
export async function switchOff(
  { store, upstreamHealth }: Ports,
  by: Acting,
  connector: string,
  reason: string,
): Promise<Switched> {
  const { actor, at } = by
  const first = await store.transaction(async (tables) => {
    const row = { connector, offAt: at, switchedBy: actor, reason }
    if (!(await tables.upstreamSwitches.switchOff(row))) return false
    await tables.upstreamEvents.record(eventOf(by, connector, 'off', { by: actor, reason }))
    await tables.audit.record({ ...auditOf(by, connector, 'off'), details: { reason } })
    return true
  })
  await upstreamHealth.look()
  return first ? done({}) : { kind: 'conflict', why: 'it is switched off already' }
}

/** A conflict where it is on already. Other processes follow within seconds. */
export async function switchOn(
  { store, upstreamHealth }: Ports,
  by: Acting,
  connector: string,
): Promise<Switched> {
  const first = await store.transaction(async (tables) => {
    if (!(await tables.upstreamSwitches.switchOn(connector))) return false
    await tables.upstreamEvents.record(eventOf(by, connector, 'on', { by: by.actor }))
    await tables.audit.record(auditOf(by, connector, 'on'))
    return true
  })
  await upstreamHealth.look()
  return first ? done({}) : { kind: 'conflict', why: 'it is switched on' }
}

const eventOf = (
  { at, where }: Acting,
  connector: string,
  what: 'off' | 'on',
  detail: Record<string, string>,
) => ({
  id: randomUUID(),
  connector,
  at,
  kind: 'switch' as const,
  what,
  ref: where.ref ?? '',
  detail,
})

const auditOf = ({ at, actor, where }: Acting, connector: string, what: 'off' | 'on') => ({
  at,
  actor,
  action: `upstream.switch-${what}`,
  target: `connector:${connector}`,
  outcome: 'ok',
  ...where,
})
