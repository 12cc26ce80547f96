/** Takes a file of people in: read as it comes, sealed some hundreds of rows at a time, and kept whole or not at all. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { normalName, signInName } from '#accounts/local.ts'
import { clip } from '#lib/prose.ts'
import { seconds } from '#lib/time.ts'
import { type Barred, done, type Outcome, operation, perform } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import type { By } from '../staff.ts'
import type { Column } from './columns.ts'
import { type ParsedRow, parsePeople } from './parse.ts'
import { importKeyOf, type StoredRow, sealPart } from './part.ts'
import { FileProblem } from './problems.ts'
import { importRules, keptSeconds, most, part } from './rules.ts'
import { openSeen } from './seen.ts'

/** The job that checks and imports: jobs/import-people.ts. */
export const importJob = 'import-people'

/** Its rows follow as a stream, which no operation takes: see `receiveImport`. */
export const beginImport = operation({
  id: 'imports.create',
  summary: 'Takes a CSV file of people; it is checked, and nothing is imported yet.',
  permission: 'people.import',
  method: 'POST',
  path: '/imports',
  input: z.strictObject({ file: z.string().max(1000).default(''), ...importRules.shape }),
  output: z.object({ id: z.string() }),
  async run({ store, config }, by, { file, ...rules }) {
    // What starts an import is dangerous, also where it is said beforehand.
    if (rules.straight && !by.fresh) return { kind: 'refused', why: 'import-not-fresh' }
    const id = randomUUID()
    const name = clip(file, 100) || `${config.site.id}.csv`
    const { actor: createdBy, at } = by
    const expiresAt = at + keptSeconds
    await store.peopleImports.begin({ id, file: name, rules, createdBy, createdAt: at, expiresAt })
    return done({ id })
  },
})

/** As it was sent: the operation judges it. */
export type ReceiveInput = { file?: string; existing?: string; straight?: boolean }

/**
 * The whole of it: may she, is the file in order, are its rows kept; then it is checked in the background. What is cut
 * off, or not in order, leaves nothing behind. Rejects with the stream's own error.
 */
export async function receiveImport(
  ports: AdminPorts,
  by: By,
  bytes: AsyncIterable<Uint8Array>,
  input: ReceiveInput,
): Promise<Outcome<{ id: string }> | Barred> {
  const begun = await perform(ports, by, beginImport, input)
  if (begun.kind !== 'done') return begun
  const { id } = begun.value
  const { store } = ports
  try {
    await keepRows(ports, id, bytes)
  } catch (error) {
    await store.peopleImports.remove(id)
    if (!(error instanceof FileProblem)) throw error
    return { kind: 'rejected', problems: [problemOf(error)] }
  }
  const at = seconds(ports.now)
  const kept = await store.transaction(async (tables) => {
    if (!(await tables.peopleImports.turn(id, ['receiving'], 'checking', at))) return false
    const event = { action: 'import.upload', target: `import:${id}`, outcome: 'ok' }
    await tables.audit.record({ at, actor: by.actor, ...event, ...by.where })
    return true
  })
  if (!kept) return { kind: 'rejected', problems: [problemOf(removed())] }
  nudge(ports)
  return done({ id })
}

/** Starts the import job in this process, unless another one runs it. Failures go to the log. */
export function nudge({ background, log }: Pick<AdminPorts, 'background' | 'log'>): void {
  background.run(importJob).catch((error) => log.error({ err: error }, 'an import stands still'))
}

/** Somebody else did, while it was being sent. */
const removed = () => new FileProblem('file-removed')

/** In English with the place; a page has its own words. */
function problemOf({ message, code, row, what }: FileProblem) {
  const place = row === undefined ? '' : ` (row ${row})`
  const named = what === undefined ? '' : `: ${clip(what)}`
  return {
    field: 'file',
    message: `${message}${named}${place}`,
    code,
    params: { ...(row === undefined ? {} : { row }), ...(what === undefined ? {} : { what }) },
  }
}

async function keepRows(
  { store, keys, config, now }: AdminPorts,
  id: string,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  const key = importKeyOf(keys.data)
  const { domain } = config.site.local_accounts
  const seen = openSeen()
  let rows: StoredRow[] = []
  let letters = 0
  let passwords = 0
  let since = performance.now()

  async function keep() {
    const [part, more] = [sealPart(key, id, rows), rows.length]
    rows = []
    letters = 0
    const kept = await store.transaction(async ({ peopleImports, importParts }) => {
      if (!(await peopleImports.grow(id, more, seconds(now)))) return false
      await importParts.add(part)
      return true
    })
    if (!kept) throw removed()
    // A fast disk or network never makes us wait: half of the time is left to other requests.
    await sleep(Math.min(100, performance.now() - since))
    since = performance.now()
  }

  await parsePeople(bytes, async (parsed) => {
    if (parsed.cells.password !== undefined && ++passwords > most.plainPasswords)
      throw new FileProblem('file-passwords')
    const twins: Partial<Record<Column, number>> = {}
    for (const [column, name] of namesIn(parsed, domain)) {
      const first = seen(name, parsed.row)
      if (first !== undefined && first !== parsed.row) twins[column] = first
    }
    rows.push(Object.keys(twins).length === 0 ? parsed : { ...parsed, twins })
    for (const cell of Object.values(parsed.cells)) letters += cell.length
    if (rows.length >= part.rows || letters >= part.letters) await keep()
  })
  if (rows.length > 0) await keep()
}

/** The names only one row of the file may have, by column. */
function namesIn({ cells }: ParsedRow, domain: string | undefined): [Column, string][] {
  const { id, account, email, email_verified: verified, county, subject } = cells
  return [
    ...(id ? [['id', id] satisfies [Column, string]] : []),
    ...(account ? [['account', signInName(account, domain)] satisfies [Column, string]] : []),
    // An address several people have is nobody's name.
    ...(email && verified && !/^(no|n|false|0|否)$/i.test(verified)
      ? [['email', normalName(email)] satisfies [Column, string]]
      : []),
    ...(county && subject
      ? [['subject', JSON.stringify([county.toLowerCase(), subject])] satisfies [Column, string]]
      : []),
  ]
}
