/** Lines of a CSV file that a spreadsheet shows and does not run. */
import { stringify } from 'csv-stringify/sync'

/** So that Excel reads it as UTF-8. */
export const csvBeginning = '\uFEFF'

/**
 * One line, with its end. What a spreadsheet would take for a formula gets an apostrophe in front (OWASP CSV injection),
 * and a line break, or any other sign without a shape, is a space: one thing, one line.
 */
export const csvRow = (cells: readonly (string | number | undefined)[]): string =>
  stringify([cells.map((cell) => (typeof cell === 'string' ? harmless(cell) : (cell ?? '')))], {
    record_delimiter: 'windows',
  })

const formula = /^\s*[=+\-@＝＋－＠|%]/u

function harmless(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
  return formula.test(line) || /^[\t\r\n]/.test(text) ? `'${line}` : line
}
