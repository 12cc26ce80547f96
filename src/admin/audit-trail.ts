/** The audit trail as staff read it: names beside ids, and what each of them leads to. */
import { z } from 'zod'
import { isoTime } from '#lib/time.ts'
import type { AuditFilter, AuditPlace, AuditRow, Store } from '#store/store.ts'
import { byteOrderMark, openCsv } from './csv.ts'
import type { Order } from './paging.ts'

/** What an event speaks of: `id` is as the trail writes it, `what` the page it has, if any. */
export type Mentioned = {
  id: string
  what: 'person' | 'client' | 'key' | 'message' | 'connector' | 'operator' | 'other'
  /** Without what stands before it: the id its page is opened by. */
  key: string
  name?: string
}

/** Where a list of events goes on, as a cursor has it. */
export const eventPlace = z
  .tuple([z.int(), z.string().max(22), z.int()])
  .transform(([at, chain, seq]): AuditPlace => ({ at, chain, seq }))

/** The same for a list that is read in either order: the other one's cursor is none of it. */
export const eventPlaceIn = (order: Order) =>
  z
    .tuple([z.literal(order), z.int(), z.string().max(22), z.int()])
    .transform(([, at, chain, seq]): AuditPlace => ({ at, chain, seq }))

export type ReadEvent = AuditRow & { by: Mentioned; to?: Mentioned }

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const prefixes = ['client', 'key', 'message', 'connector', 'operator'] as const

/** Reads an id of the trail; its name is not looked up. */
export function mentioned(id: string): Mentioned {
  if (uuid.test(id)) return { id, what: 'person', key: id }
  const what = prefixes.find((one) => id.startsWith(`${one}:`))
  return what ? { id, what, key: id.slice(what.length + 1) } : { id, what: 'other', key: id }
}

/** Events with the names of the people and apps in them, all found in one statement. */
export async function withNames(
  { auditSearch }: Pick<Store, 'auditSearch'>,
  rows: AuditRow[],
): Promise<ReadEvent[]> {
  const all = rows.flatMap(({ actor, target }) => [mentioned(actor), mentioned(target)])
  const keys = (what: Mentioned['what']) => [
    ...new Set(all.filter((one) => one.what === what).map((one) => one.key)),
  ]
  const names = await auditSearch.names({ accounts: keys('person'), clients: keys('client') })
  const named = (id: string): Mentioned => {
    const one = mentioned(id)
    const name = names.get(one.key)
    return name === undefined ? one : { ...one, name }
  }
  return rows.map((row) => ({
    ...row,
    by: named(row.actor),
    ...(row.target === '' ? {} : { to: named(row.target) }),
  }))
}

/** The first of what a search finds in this order, however far it has to look. */
export async function firstOf(
  { auditSearch }: Pick<Store, 'auditSearch'>,
  filter: AuditFilter,
  { order, limit }: { order: Order; limit: number },
): Promise<AuditRow[]> {
  const found: AuditRow[] = []
  let place: AuditPlace | undefined
  do {
    const { rows, next } = await auditSearch.search(filter, place, limit - found.length, order)
    found.push(...rows)
    place = next
  } while (place && found.length < limit)
  return found
}

/** Events read at a time for a file. */
const part = 500

const columns = [
  'time',
  'action',
  'outcome',
  'actor',
  'actor name',
  'target',
  'target name',
  'address',
  'ref',
  'details',
  'chain',
  'seq',
]

/** All a search finds as CSV, read and given a part at a time. */
export async function* auditCsv(
  store: Pick<Store, 'auditSearch'>,
  filter: AuditFilter,
): AsyncGenerator<string> {
  const write = await openCsv()
  yield byteOrderMark + write([columns])
  let place: AuditPlace | undefined
  do {
    const { rows, next } = await store.auditSearch.search(filter, place, part)
    const events = await withNames(store, rows)
    if (events.length > 0) yield write(events.map(lineOf))
    place = next
  } while (place)
}

const lineOf = ({ by, to, ...row }: ReadEvent) => [
  isoTime(row.at),
  row.action,
  row.outcome,
  row.actor,
  by.name,
  row.target,
  to?.name,
  row.address,
  row.ref,
  Object.keys(row.details).length > 0 ? JSON.stringify(row.details) : '',
  row.chain,
  row.seq,
]
