/** `citygate user import` and `user export`: people by the thousand, from a file and into one. */
import { createReadStream, createWriteStream } from 'node:fs'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { PeopleImport } from '#admin/operations/imports.ts'
import { type By, operatorBy } from '#admin/staff.ts'
import type { House } from '#http/house.ts'
import { exits, inHouse, operator, print, rejected, Stop } from './tools.ts'

type ImportOptions = {
  dryRun?: boolean
  update?: boolean
  refuse?: boolean
  wait?: boolean
  report?: string
  json?: boolean
}

export function addUserImportCommands(program: Command): void {
  const user = program.commands.find((one) => one.name() === 'user') ?? program.command('user')
  user
    .command('import')
    .description('bring people in from a CSV file; rows that are not in order are left out')
    .argument('<file>', 'UTF-8 or Big5, with a heading; - for standard input')
    .option('--dry-run', 'check every row, import none')
    .addOption(
      new Option('--update', 'change the profile of accounts that exist').conflicts('refuse'),
    )
    .option('--refuse', 'refuse rows whose account exists (default: leave the account as it is)')
    .option('--wait', 'stay until it is through; else a running server does the rest')
    .option('--report <file>', 'write what became of each row as CSV; waits')
    .option('--json', 'print as JSON')
    .action((file: string, options: ImportOptions) =>
      inHouse((house) => bringIn(house, file, options)),
    )
  user
    .command('export')
    .description('everybody as CSV on standard output; without personal numbers')
    .option('--county <id>', 'people of this upstream only')
    .option('--school <code>', 'people of this school only')
    .option('--status <status>', 'active, suspended, closed or pending')
    .action((filter) =>
      inHouse(async (house) => {
        const { exportPeople } = await import('#admin/imports/export.ts')
        const outcome = await exportPeople(house, operatorBy(operator()), filter)
        if (outcome.kind === 'rejected') throw rejected(outcome.problems)
        if (outcome.kind !== 'done') throw new Error(`an operator was told ${outcome.kind}`)
        await pipeline(Readable.from(outcome.value), process.stdout, { end: false })
      }),
    )
}

async function bringIn(house: House, file: string, options: ImportOptions) {
  const { dryRun = false, update, refuse, report, json } = options
  const { receiveImport } = await import('#admin/imports/receive.ts')
  const by = operatorBy(operator())
  const received = await receiveImport(house, by, await opened(file), {
    file: basename(file),
    existing: update ? 'update' : refuse ? 'refuse' : 'skip',
    straight: !dryRun,
  })
  if (received.kind === 'rejected') throw rejected(received.problems)
  if (received.kind !== 'done') throw new Error(`an operator was told ${received.kind}`)
  const { id } = received.value
  if (!options.wait && !dryRun && !report) {
    print(json ? JSON.stringify({ id }) : `${id}  received; a running server checks and imports it`)
    return
  }
  const through = await waitFor(house, by, id)
  if (report) await writeReport(house, id, report)
  if (json) print(JSON.stringify(through, null, 2))
  else for (const line of summary(through)) print(line)
  if (!json) for (const line of await remarks(house, by, through)) process.stderr.write(`${line}\n`)
  if (through.state === 'failed' || through.state === 'stopped')
    throw new Stop(1, `the import ${through.state}${through.problem ? `: ${through.problem}` : ''}`)
  if (through.refused > 0)
    throw new Stop(
      exits.rejected,
      dryRun
        ? `${through.refused} of ${through.total} rows would be refused; nothing was imported`
        : `${through.refused} of ${through.total} rows were refused; the others are imported`,
    )
}

/** Rejects now for what cannot be opened, not when its first byte is wanted. */
async function opened(file: string): Promise<AsyncIterable<Uint8Array>> {
  if (file === '-') return process.stdin
  const stream = createReadStream(file)
  await new Promise<void>((resolve, reject) => {
    stream.once('ready', resolve)
    stream.once('error', ({ message }) => reject(new Stop(exits.unknown, message)))
  })
  return stream
}

/** Does the work itself where no server does it just now. */
async function waitFor(house: House, by: By, id: string): Promise<PeopleImport> {
  const [{ getImport }, { importJob }, { perform }] = await Promise.all([
    import('#admin/operations/imports.ts'),
    import('#admin/imports/receive.ts'),
    import('#admin/operation.ts'),
  ])
  const through = new AbortController()
  const work = (async () => {
    while (!through.signal.aborted) {
      // Otherwise a server does it, which may stop in the middle.
      await house.background.run(importJob)
      await sleep(300)
    }
  })()
  for (;;) {
    const found = await perform(house, by, getImport, { id })
    if (found.kind !== 'done') throw new Stop(exits.unknown, 'somebody removed the import')
    const { value: one } = found
    showProgress(one)
    if (one.state !== 'checking' && one.state !== 'importing') {
      through.abort()
      await work
      return one
    }
    await Promise.race([work, sleep(300)])
  }
}

/** One line that is written over, for somebody who watches. */
function showProgress({ state, total, checked, done, rate, secondsLeft }: PeopleImport) {
  if (!process.stderr.isTTY) return
  const behind = state === 'checking' ? checked : done
  const left =
    secondsLeft === undefined ? '' : `, ${Math.round(rate ?? 0)}/s, ${secondsLeft} s left`
  const over = state !== 'checking' && state !== 'importing'
  process.stderr.write(`\r\u001b[K${over ? '' : `${state} ${behind} of ${total}${left}`}`)
}

const summary = (one: PeopleImport): string[] =>
  (['id', 'state', 'total', 'created', 'updated', 'same', 'refused', 'warned'] as const).map(
    (key) => `${key}: ${one[key]}`,
  )

const shownRemarks = 50

async function remarks(house: House, by: By, { id, refused, warned }: PeopleImport) {
  const [{ listImportNotes }, { perform }] = await Promise.all([
    import('#admin/operations/imports.ts'),
    import('#admin/operation.ts'),
  ])
  const found = await perform(house, by, listImportNotes, { id, limit: shownRemarks })
  if (found.kind !== 'done') return []
  const { items } = found.value
  const lines = items.flatMap(({ row, problems }) =>
    problems.map(({ field, message, row: other }) =>
      [
        `row ${row}:`,
        ...(field === 'row' ? [] : [field]),
        message,
        ...(other ? [`(row ${other})`] : []),
      ].join(' '),
    ),
  )
  const more = refused + warned - items.length
  return more > 0 ? [...lines, `… and ${more} more rows: --report writes all of them`] : lines
}

async function writeReport({ store }: House, id: string, file: string) {
  const [{ importReport }, { messageOf }] = await Promise.all([
    import('#admin/imports/report.ts'),
    import('#admin/operations/imports.ts'),
  ])
  const text = importReport(store, id, {
    heading: ['row', 'outcome', 'problems'],
    outcome: (outcome) => outcome,
    problem: ({ field, code, row }) =>
      `${field}: ${messageOf(code)}${row === undefined ? '' : ` (row ${row})`}`,
  })
  await pipeline(Readable.from(text), createWriteStream(file, { mode: 0o600 }))
}
