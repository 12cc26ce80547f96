/** CSV as spreadsheets read it, and do nothing else with: every cell is quoted, and none begins a formula. */

type Cell = string | number | undefined
/** Rows as text, each with its end: some of a file, so that however long it is little of it is in memory. */
export type WriteCsv = (rows: readonly (readonly Cell[])[]) => string

/** Begins a file: without it Excel reads UTF-8 as Big5. */
export const byteOrderMark = '\uFEFF'

/**
 * A cell a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV injection), and so does what
 * would be a cell of its own where semicolons stand between cells. `unguarded` takes it off again. A line break, or any
 * other sign without a shape, is a space: one thing, one line. Numbers are ours, and stay numbers.
 */
export async function openCsv(): Promise<WriteCsv> {
  const { stringify } = await import('csv-stringify/sync')
  // Its own `escape_formulas` looks at the first letter only, and cannot be undone where a text begins with '= itself.
  const cast = { string: guarded }
  return (rows) =>
    stringify([...rows], { cast, quoted: true, quoted_empty: true, record_delimiter: 'windows' })
}

/** Where a cell would begin, if what follows makes a formula of it: also behind what a reader may leave out. */
const before = /(?<=^|;)(?=['"\s\p{Cf}]*[=+\-@|%＝＋－＠])/gu
const apostrophe = /(?<=^|;)'(?=['"\s\p{Cf}]*[=+\-@|%＝＋－＠])/gu

const guarded = (text: string): string =>
  text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').replaceAll(before, "'")

/** A cell as it was before `openCsv` wrote it, or a spreadsheet that hides the apostrophe: of several, one is ours. */
export const unguarded = (cell: string): string => cell.replaceAll(apostrophe, '')
