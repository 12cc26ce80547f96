/** Writes down what became of an import's rows, for its page and its report. */
import type { ImportCounts, PeopleImportRow, Tables } from '#store/store.ts'
import type { Verdict } from './judge.ts'

/** How an outcome is kept: one letter for each row. */
export const letters: Record<Verdict['outcome'], string> = {
  created: 'c',
  updated: 'u',
  same: 's',
  refused: 'r',
}

/** Letters, notes, reasons and counts of some rows. Call it in the transaction that changed them. */
export async function putDown(
  {
    peopleImports,
    importNotes,
    importReasons,
  }: Pick<Tables, 'peopleImports' | 'importNotes' | 'importReasons'>,
  due: PeopleImportRow,
  verdicts: Verdict[],
  at: number,
) {
  const [first, last] = [verdicts[0]?.row, verdicts.at(-1)?.row]
  if (first === undefined || last === undefined) return
  const { id, state } = due
  const noted = verdicts.filter(({ problems }) => problems.length > 0)
  await importNotes.note(
    id,
    { first, last },
    noted.map(({ row, outcome, problems, accountId }) => ({
      row,
      outcome: outcome === 'refused' ? outcome : 'warned',
      problems,
      ...(accountId === undefined ? {} : { accountId }),
    })),
  )
  await importReasons.count(id, noted)
  // Rows that say nothing are not among them.
  const outcomes = Array<string>(last - first + 1).fill(' ')
  for (const { row, outcome } of verdicts) outcomes[row - first] = letters[outcome]
  await importNotes.keepOutcomes(id, { firstRow: first, outcomes: outcomes.join('') })
  const to = { state, position: last }
  const counts = countsOf(verdicts)
  await peopleImports.advance({ ...due, to, rows: verdicts.length, counts, at })
}

function countsOf(verdicts: Verdict[]): ImportCounts {
  const of = (wanted: Verdict['outcome']) =>
    verdicts.filter(({ outcome }) => outcome === wanted).length
  const warned = verdicts.filter(
    ({ outcome, problems }) => outcome !== 'refused' && problems.length > 0,
  ).length
  return {
    created: of('created'),
    updated: of('updated'),
    same: of('same'),
    refused: of('refused'),
    warned,
  }
}
