/** The rows of an import that have one reason, searched for in bounded steps: it may be two of a hundred thousand. */
import type { ImportNote, Store } from '#store/store.ts'
import { writeCursor } from '../paging.ts'

/** Rows that are looked at in one statement, and statements in one page. */
const most = { looked: 5_000, statements: 4 } as const

/** `column:code`, as an address has it. */
export const reasonShape = /^[a-z_]{1,32}:[a-z-]{1,32}$/

/** A page may have fewer than `limit`, or none, and others come after it all the same. */
export async function notesOfReason(
  { importReasons }: Pick<Store, 'importReasons'>,
  id: string,
  wanted: string,
  { after, limit }: { after: number; limit: number },
): Promise<{ items: ImportNote[]; next?: string }> {
  const [field, code] = wanted.split(':')
  const reason = (await importReasons.of(id)).find(
    (one) => one.field === field && one.code === code,
  )
  if (!reason) return { items: [] }
  const items: ImportNote[] = []
  // Before the first row that has it there is nothing to look at.
  let behind = Math.max(after, (reason.examples[0] ?? 1) - 1)
  for (let i = 0; i < most.statements && behind < reason.lastRow; i++) {
    const found = limit - items.length
    const { notes, end } = await importReasons.notesWith(id, reason, behind, {
      looked: most.looked,
      found,
    })
    if (end === undefined) return { items }
    items.push(...notes)
    if (notes.length === found) {
      const last = items.at(-1)?.row ?? end
      return { items, ...(last < reason.lastRow ? { next: writeCursor([last]) } : {}) }
    }
    behind = end
  }
  return { items, ...(behind < reason.lastRow ? { next: writeCursor([behind]) } : {}) }
}
