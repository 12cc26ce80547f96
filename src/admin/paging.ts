/** Pages of a list, by cursor: where the next one begins, as text that is good for a link. */
import { z } from 'zod'
import { isText, rejected } from './operation.ts'

const pageSize = { usual: 50, most: 200 } as const

/** What every list takes. */
export const paged = {
  /** `next` of the page before. */
  cursor: z.string().max(2000).optional(),
  limit: z.coerce.number().int().min(1).max(pageSize.most).default(pageSize.usual),
}

/** What every list gives. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    /** The cursor of the next page; absent on the last one. */
    next: z.string().optional(),
  })

export type Place = (string | number)[]

/** A place as a cursor, which `readCursor` reads. */
export const writeCursor = (place: Place): string =>
  Buffer.from(JSON.stringify(place)).toString('base64url')

/**
 * The place a cursor names, as `shape` has it; undefined for one we did not write. A cursor is not signed: use what it
 * holds only as parameters of a statement that keeps to the reader's reach.
 */
export function readCursor<Shape extends z.ZodType>(
  cursor: string,
  shape: Shape,
): z.output<Shape> | undefined {
  try {
    const text = Buffer.from(cursor, 'base64url').toString()
    // PostgreSQL knows no text with a NUL in it, and throws.
    if (text.includes('\\u0000')) return undefined
    const parsed = shape.safeParse(JSON.parse(text))
    return parsed.success && isText(parsed.data) ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** Where a list by age goes on: a row's moment, and its id among others of the same moment. */
export const byAge = z
  .tuple([z.int(), z.string()])
  .transform(([createdAt, id]) => ({ createdAt, id }))

/** How a list by age may be read. */
export const orders = ['newest', 'oldest'] as const
export type Order = (typeof orders)[number]

/** The same for a list that is read in either order: the other one's cursor is none of it. */
export const byAgeIn = (order: Order) =>
  z
    .tuple([z.literal(order), z.int(), z.string()])
    .transform(([, createdAt, id]) => ({ createdAt, id }))

/** What is said of a cursor that `readCursor` cannot read. */
export const strangeCursor = rejected('cursor', 'is not one this list gave', 'cursor')

/** A page of `rows`, of which one more than `limit` was read. */
export function cutPage<Row>(
  rows: Row[],
  limit: number,
  placeOf: (row: Row) => Place,
): { items: Row[]; next?: string } {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return rows.length > limit && last ? { items, next: writeCursor(placeOf(last)) } : { items }
}
