/** Whom somebody reaches, and upon whom she may act: what every operation about one person asks first. */
import { z } from 'zod'
import type { AccountRow, Tables, Within } from '#store/store.ts'
import { type Acting, unknown } from '../operation.ts'
import { reachOf } from '../staff.ts'

/** As it stands in a path: what is no id of ours is nobody's. */
export const sub = z.string().regex(/^[\w-]{1,64}$/)

/** The upstreams whose people she reaches; undefined for everybody. */
export const withinOf = ({ reach }: Pick<Acting, 'reach'>): Within =>
  reach.kind === 'all' ? undefined : reach.counties

/** Whether she reaches the people of this upstream. */
export const reaches = (by: Pick<Acting, 'reach'>, connector: string): boolean =>
  withinOf(by)?.includes(connector) ?? true

export type Held =
  | { kind: 'held'; account: AccountRow }
  | { kind: 'unknown' }
  | { kind: 'refused'; why: string }

/**
 * The person, held until the transaction ends. Whoever is beyond reach is asked for in the same statement as who does not
 * exist, and nothing else is. Whoever has a role herself is for those who give roles to decide on.
 */
export async function holdPerson(tables: Tables, by: Acting, id: string): Promise<Held> {
  const account = await tables.peopleSearch.lock(id, withinOf(by))
  if (!account) return unknown
  const roles = await tables.staffRoles.of(id)
  if (roles.length > 0 && !reachOf(by, 'staff.write'))
    return { kind: 'refused', why: 'people-staff' }
  return { kind: 'held', account }
}
