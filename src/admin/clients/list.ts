/** Apps within somebody's reach, page by page. */
import { z } from 'zod'
import type { ClientSort, ClientState } from '#store/clients.ts'
import type { ClientKind, ClientRow } from '#store/store.ts'
import { type Acting, done, type Outcome } from '../operation.ts'
import { cutPage, type Place, readCursor, strangeCursor } from '../paging.ts'
import type { AdminPorts } from '../ports.ts'
import { listed, type listedClient, soon } from './shown.ts'

export type Wanted = {
  q?: string | undefined
  kind?: ClientKind | undefined
  state?: ClientState | undefined
  sort: ClientSort
  order: 'ascending' | 'descending'
  cursor?: string | undefined
  limit: number
}

const places = {
  name: z.tuple([z.string(), z.string()]),
  created: z.tuple([z.int(), z.string()]),
  updated: z.tuple([z.int(), z.string()]),
} satisfies Record<ClientSort, z.ZodType>

const placeOf: Record<ClientSort, (row: ClientRow) => Place> = {
  name: ({ name, id }) => [name, id],
  created: ({ createdAt, id }) => [createdAt, id],
  updated: ({ updatedAt, id }) => [updatedAt, id],
}

type Page = { items: z.input<typeof listedClient>[]; next?: string }

/** A page of apps within her reach; `rejected` for a cursor another list gave. */
export async function findApps(
  { store }: Pick<AdminPorts, 'store'>,
  { reach, at }: Acting,
  { q, kind, state, sort, order, cursor, limit }: Wanted,
): Promise<Outcome<Page>> {
  const after = cursor === undefined ? undefined : readCursor<z.ZodType>(cursor, places[sort])
  if (cursor !== undefined && after === undefined) return strangeCursor
  if (reach.kind === 'some' && reach.appsOf === undefined) return done({ items: [] })
  // Rows the last release wrote have no name yet: without one they would not be found by it.
  await store.clients.nameOld()
  const rows = await store.clients.search({
    ...(q ? { text: q } : {}),
    ...(kind ? { kind } : {}),
    ...(state ? { state } : {}),
    ...(reach.kind === 'some' && reach.appsOf !== undefined ? { owner: reach.appsOf } : {}),
    expiresBefore: at + soon,
    sort,
    descending: order === 'descending',
    ...(after === undefined ? {} : { after: after as [string | number, string] }),
    limit: limit + 1,
  })
  const { items, next } = cutPage(rows, limit, placeOf[sort])
  return done({ items: items.map((row) => listed(row, at)), ...(next ? { next } : {}) })
}
