/** One person's sign-ins, the newest first. */

import type { z } from 'zod'
import { region } from '#lib/networks.ts'
import { isoTime } from '#lib/time.ts'
import { eventPlace } from '../audit-trail.ts'
import { type Acting, done, type Outcome, unknown } from '../operation.ts'
import { cutPage, pageOf, readCursor, strangeCursor } from '../paging.ts'
import type { AdminPorts } from '../ports.ts'
import { reaches, withinOf } from './reach.ts'
import { signIn } from './shapes.ts'

export const signInsOutput = pageOf(signIn)

/** A page of them; `unknown` for somebody beyond reach. Counties out of reach are left out of each. */
export async function listSignIns(
  { store }: Pick<AdminPorts, 'store'>,
  by: Acting,
  { sub, cursor, limit }: { sub: string; cursor?: string | undefined; limit: number },
): Promise<Outcome<z.input<typeof signInsOutput>>> {
  if (!(await store.peopleSearch.find(sub, withinOf(by)))) return unknown
  const after = cursor === undefined ? undefined : readCursor(cursor, eventPlace)
  if (cursor !== undefined && !after) return strangeCursor
  const rows = await store.auditReads.signIns(sub, after, limit + 1)
  const { items, next } = cutPage(rows, limit, ({ at, chain, seq }) => [at, chain, seq])
  const shown = items.map(
    ({ at, target, address, outcome, details: { way, connector: county } }) => ({
      at: isoTime(at),
      way: way === 'upstream' ? ('upstream' as const) : ('password' as const),
      ...(isString(county) && reaches(by, county) ? { county } : {}),
      app: target.replace(/^client:/, ''),
      network: region(address),
      outcome,
    }),
  )
  return done({ items: shown, ...(next ? { next } : {}) })
}

const isString = (value: unknown): value is string => typeof value === 'string'
