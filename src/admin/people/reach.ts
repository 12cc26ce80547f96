/** Whom somebody reaches, and upon whom she may act: what every operation about one person asks first. */
import { z } from 'zod'
import type { AccountRow, Tables, Within } from '#store/store.ts'
import { type Acting, unknown } from '../operation.ts'
import { reachesUpstream, reachOf } from '../staff.ts'

/** A person's id as it stands in a path. */
export const sub = z.string().regex(/^[\w-]{1,64}$/)

/** The upstreams whose people she reaches; undefined for everybody. */
export const withinOf = ({ reach }: Pick<Acting, 'reach'>): Within =>
  reach.kind === 'all' ? undefined : reach.counties

/** Whether she reaches the people of this upstream. */
export const reaches = (by: Pick<Acting, 'reach'>, connector: string): boolean =>
  reachesUpstream(by.reach, connector)

export type Held =
  | { kind: 'held'; account: AccountRow }
  | { kind: 'unknown' }
  | { kind: 'refused'; why: string }

/**
 * The person, held until the transaction ends. One statement finds both who is beyond reach and who does not exist, so
 * that the two answers take the same time. Only those who may change staff act upon somebody who has a role.
 */
export async function holdPerson(tables: Tables, by: Acting, id: string): Promise<Held> {
  const account = await tables.peopleSearch.lock(id, withinOf(by))
  if (!account) return unknown
  const roles = await tables.staffRoles.of(id)
  if (roles.length > 0 && !reachOf(by, 'staff.write'))
    return { kind: 'refused', why: 'people-staff' }
  return { kind: 'held', account }
}
