/** A file's rows as they come: its bytes are never all in memory. */
import { pipeline } from 'node:stream/promises'
import type { Options } from 'csv-parse'
import { unguarded } from '../csv.ts'
import { type Cells, type Column, readHeading } from './columns.ts'
import { decode } from './decode.ts'
import { FileProblem } from './problems.ts'
import { most } from './rules.ts'

/** Rows are numbered as a spreadsheet does: the heading is row 1. */
export type ParsedRow = { row: number; cells: Cells; tooMany?: true }

/** What csv-parse tells with each record. */
type Told = { record: string[]; info: { records: number; empty_lines: number } }

/** Calls `take` with each row that says something, and waits for it. Throws FileProblem, and what `take` throws. */
export async function parsePeople(
  bytes: AsyncIterable<Uint8Array>,
  take: (row: ParsedRow) => Promise<void> | void,
): Promise<void> {
  const csv = await import('csv-parse')
  const { delimiter, text } = await begin(decode(limited(bytes)))
  const parser = csv.parse({
    delimiter,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: most.rowBytes,
  } satisfies Options)
  try {
    await pipeline(text, parser, (records) => readRows(records as AsyncIterable<Told>, take))
  } catch (error) {
    if (!(error instanceof csv.CsvError)) throw error
    const { records } = parser.info
    const code = error.code === 'CSV_MAX_RECORD_SIZE' ? 'file-row' : 'file-quotes'
    throw new FileProblem(code, { row: records + 1 })
  }
}

async function readRows(
  records: AsyncIterable<Told>,
  take: (row: ParsedRow) => Promise<void> | void,
) {
  let heading: Column[] | undefined
  let rows = 0
  for await (const { record, info } of records) {
    if (!heading) {
      const read = readHeading(record)
      if (read.kind === 'bad') throw new FileProblem(read.code, { row: 1, what: read.what })
      heading = read.columns
      continue
    }
    const row = info.records + info.empty_lines
    if (row > most.rows + 1) throw new FileProblem('file-rows')
    const cells = cellsOf(heading, record)
    if (!cells) continue
    await take(cells.tooMany ? { row, ...cells } : { row, cells: cells.cells })
    rows++
  }
  if (rows === 0) throw new FileProblem('file-empty')
}

/** Undefined for a row without a single word, as spreadsheets leave them at the end. */
function cellsOf(
  heading: Column[],
  record: string[],
): { cells: Cells; tooMany?: true } | undefined {
  const said = record.map((cell, i) => {
    const text = cell.trim()
    // No file of ours holds a password: an apostrophe in one is hers.
    const meant = heading[i] === 'password' ? text : unguarded(text).trim()
    return meant.slice(0, most.cellLetters + 1)
  })
  if (said.every((cell) => cell === '')) return undefined
  const named = heading.flatMap((column, i) => (said[i] ? [[column, said[i]]] : []))
  const tooMany = said.slice(heading.length).some((cell) => cell !== '')
  return { cells: Object.fromEntries(named), ...(tooMany ? { tooMany } : {}) }
}

/** The heading tells what stands between cells: all of it is read before anything is parsed. */
async function begin(text: AsyncGenerator<string>) {
  let head = ''
  let over = false
  while (!over && !/[\r\n]/.test(head)) {
    if (head.length > most.rowBytes) throw new FileProblem('file-row', { row: 1 })
    const { done, value } = await text.next()
    over = done === true
    head += value ?? ''
  }
  const [line = ''] = head.split(/[\r\n]/, 1)
  async function* all() {
    yield head
    if (!over) yield* text
  }
  return { delimiter: delimiterOf(line), text: all() }
}

function delimiterOf(line: string): string {
  const bare = line.replace(/"[^"]*"/g, '')
  const counts = [',', ';', '\t'].map((one): [string, number] => [one, bare.split(one).length])
  return counts.sort(([, a], [, b]) => b - a)[0]?.[0] ?? ','
}

async function* limited(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const chunk of bytes) {
    size += chunk.length
    if (size > most.bytes) throw new FileProblem('file-large')
    yield chunk
  }
}
