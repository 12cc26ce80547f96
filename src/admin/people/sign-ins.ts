/** One person's sign-ins, the newest first. */

import { z } from 'zod'
import { region } from '#lib/networks.ts'
import { isoTime } from '#lib/time.ts'
import type { AuditPlace } from '#store/store.ts'
import { type Acting, done, type Outcome, unknown } from '../operation.ts'
import { cutPage, pageOf, readCursor, strangeCursor } from '../paging.ts'
import type { AdminPorts } from '../ports.ts'
import { reaches, withinOf } from './reach.ts'
import { signIn } from './shapes.ts'

export const signInsOutput = pageOf(signIn)

const place = z.tuple([
  z
    .int()
    .min(0)
    .max(2 ** 40),
  z.string().regex(/^[\w-]{1,43}$/),
  z.int(),
])

export async function listSignIns(
  { store }: Pick<AdminPorts, 'store'>,
  by: Acting,
  { sub, cursor, limit }: { sub: string; cursor?: string | undefined; limit: number },
): Promise<Outcome<z.input<typeof signInsOutput>>> {
  if (!(await store.peopleSearch.find(sub, withinOf(by)))) return unknown
  const after = cursor === undefined ? undefined : readCursor(cursor, place)
  if (cursor !== undefined && !after) return strangeCursor
  const from: AuditPlace | undefined = after && { at: after[0], chain: after[1], seq: after[2] }
  const rows = await store.auditReads.signIns(sub, from, limit + 1)
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
