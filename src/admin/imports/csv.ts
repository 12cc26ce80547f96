/** CSV as spreadsheets read it, and do nothing else with: every cell is quoted, and none begins a formula. */
import type { stringify } from 'csv-stringify/sync'

export type WriteCsv = (rows: readonly (readonly (string | number)[])[]) => string

/** Without it Excel reads UTF-8 as Big5. */
export const byteOrderMark = '\ufeff'

/** A cell that begins with `=`, `+`, `-`, `@`, a tab or a line end gets an apostrophe before it (OWASP, CSV injection). */
export async function openCsv(): Promise<WriteCsv> {
  const { stringify: write }: { stringify: typeof stringify } = await import('csv-stringify/sync')
  return (rows) =>
    rows.length === 0
      ? ''
      : write(
          rows.map((row) => row.map(String)),
          { quoted: true, quoted_empty: true, escape_formulas: true, record_delimiter: '\r\n' },
        )
}

/** What `openCsv` put before a cell is none of it. */
export const withoutApostrophe = (cell: string): string =>
  cell.replace(/^'(?=[=+\-@\t\r＝＋－＠])/, '')
