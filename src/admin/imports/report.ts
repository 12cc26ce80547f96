/** What became of each row, as a file: numbers, outcomes and reasons, nothing of what stood in the rows. */
import type { ImportNote, Store } from '#store/store.ts'
import { byteOrderMark, openCsv } from '../csv.ts'
import type { Verdict } from './judge.ts'
import { letters } from './outcomes.ts'

type RowOutcome = Verdict['outcome']

/** What it is called, in the reader's language. */
export type ReportWords = {
  heading: [row: string, outcome: string, problems: string]
  outcome(outcome: RowOutcome): string
  problem(problem: ImportNote['problems'][number]): string
}

const outcomes = new Map(
  Object.entries(letters).map(([outcome, letter]) => [letter, outcome as RowOutcome]),
)

/** Batches of rows in one read. */
const batches = 20

/** The report as CSV, some batches of rows at a time. */
export async function* importReport(
  { importNotes }: Pick<Store, 'importNotes'>,
  id: string,
  words: ReportWords,
): AsyncGenerator<string> {
  const write = await openCsv()
  yield byteOrderMark + write([words.heading])
  for (let after = -1; ; ) {
    const found = await importNotes.outcomesAfter(id, after, batches)
    const [first, last] = [found[0], found.at(-1)]
    if (!first || !last) return
    const end = last.firstRow + last.outcomes.length
    const notes = await importNotes.after(id, first.firstRow - 1, end - first.firstRow)
    const byRow = new Map(notes.map((one) => [one.row, one]))
    yield write(
      found.flatMap(({ firstRow, outcomes: became }) =>
        [...became].flatMap((letter, i) => {
          const outcome = outcomes.get(letter)
          const row = firstRow + i
          const problems = byRow.get(row)?.problems ?? []
          const said = problems.map((one) => words.problem(one)).join('; ')
          return outcome ? [[row, words.outcome(outcome), said]] : []
        }),
      ),
    )
    after = last.firstRow
  }
}
