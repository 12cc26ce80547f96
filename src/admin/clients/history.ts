/** An app's versions as they are read: who, when, and each field before and after. */

import { z } from 'zod'
import { isoTime } from '#lib/time.ts'
import type { ClientVersionRow } from '#store/store.ts'
import { type Acting, done, type Outcome } from '../operation.ts'
import { cutPage, readCursor, strangeCursor } from '../paging.ts'
import type { AdminPorts } from '../ports.ts'
import { time } from '../times.ts'
import { findWithin } from './reach.ts'
import { difference, differences } from './versions.ts'

export const shownVersion = z.object({
  version: z.number(),
  at: time,
  /** An account's id, `client:<id>`, `operator:<name>`; `unknown` where no version was kept yet. */
  changedBy: z.string(),
  /** The account's name, where there is one. */
  changedByName: z.string().optional(),
  /** create, change, undo, secret … */
  because: z.string(),
  note: z.string().optional(),
  /** Against the version before; by RFC 7591’s names. */
  changes: z.array(difference),
})

type Page = { items: z.input<typeof shownVersion>[]; next?: string }

/** The largest number the column holds. */
export const mostVersions = 2 ** 31 - 1
const place = z.tuple([z.int().min(1).max(mostVersions)])

/** A page of versions, the newest first; `unknown` for an app beyond her reach. */
export async function listVersions(
  { store }: Pick<AdminPorts, 'store'>,
  by: Acting,
  { id, cursor, limit }: { id: string; cursor?: string | undefined; limit: number },
): Promise<Outcome<Page>> {
  const row = await findWithin(store, by, id)
  if (!row) return { kind: 'unknown' }
  const after = cursor === undefined ? [row.version + 1] : readCursor(cursor, place)
  const [before] = after ?? []
  if (before === undefined) return strangeCursor
  // One more for the next page, and one more to hold the last against.
  const rows = await store.clientVersions.list(id, before, limit + 2)
  const { items, next } = cutPage(rows, limit, ({ version }) => [version])
  // Programs and operators are called what the audit trail calls them.
  const accounts = items.map(({ changedBy }) => changedBy).filter((one) => !one.includes(':'))
  const names = await store.auditSearch.names({ accounts, clients: [] })
  const shown = items.map((one, i) => ({
    ...versionOf(one, rows[i + 1]),
    ...(names.has(one.changedBy) ? { changedByName: names.get(one.changedBy) } : {}),
  }))
  return done({ items: shown, ...(next ? { next } : {}) })
}

const versionOf = (one: ClientVersionRow, before: ClientVersionRow | undefined) => ({
  version: one.version,
  at: isoTime(one.at),
  changedBy: one.changedBy,
  because: one.because,
  ...(one.note === undefined ? {} : { note: one.note }),
  changes: before ? differences(before.metadata, one.metadata) : [],
})
