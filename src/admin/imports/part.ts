/** Some hundreds of a file's rows, as they lie in the database: sealed, since all of it is about people. */
import { deriveKey, seal, unseal } from '#lib/crypto.ts'
import type { ImportPart } from '#store/store.ts'
import type { Cells, Column } from './columns.ts'

export type StoredRow = {
  row: number
  cells: Cells
  /** Earlier rows of the file that name the same, by column. */
  twins?: Partial<Record<Column, number>>
  /** It has more cells than the heading has columns. */
  tooMany?: true
  /** A password in clear became this one's hash, or was refused. */
  secret?: string
  weak?: true
}

/** The key uploaded rows are sealed under. */
export const importKeyOf = (dataKey: Buffer): Buffer => deriveKey(dataKey, 'people imports')

/** Its place is part of the seal. */
const contextOf = (importId: string, firstRow: number) =>
  `people_import_part.sealed.${importId}.${firstRow}`

/** Seals rows that follow each other in the file. Throws for none. */
export function sealPart(key: Buffer, importId: string, rows: readonly StoredRow[]): ImportPart {
  const [first] = rows
  const last = rows.at(-1)
  if (!first || !last) throw new Error('a part without rows')
  const sealed = seal(key, JSON.stringify(rows), contextOf(importId, first.row))
  return { importId, firstRow: first.row, lastRow: last.row, sealed }
}

/** Throws where it was sealed under another key. */
export const openPart = (key: Buffer, { importId, firstRow, sealed }: ImportPart): StoredRow[] =>
  JSON.parse(unseal(key, sealed, contextOf(importId, firstRow)))
