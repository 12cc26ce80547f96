/** The background work of imports: it checks rows or imports them, and keeps how far it has come with the import. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PasswordRules } from '#accounts/password-rules.ts'
import type { Passwords } from '#accounts/passwords.ts'
import type { Config } from '#config/load.ts'
import { BusyError } from '#errors.ts'
import type { Log } from '#lib/log.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { ImportPart, PeopleImportRow, Store, Tables } from '#store/store.ts'
import { mayGive } from '../staff/grants.ts'
import { mayStill } from '../staff/still.ts'
import { judge } from './judge.ts'
import { putDown } from './outcomes.ts'
import { importKeyOf, openPart, type StoredRow, sealPart } from './part.ts'
import { type ReadRow, type RowRules, readRow } from './read-row.ts'
import { type ImportRules, importRules } from './rules.ts'
import { importUpstreams } from './upstreams.ts'
import { write } from './write.ts'

export type ImportWorkPorts = {
  store: Store
  config: Pick<Config, 'connectors' | 'enrolments' | 'site'>
  keys: { data: Buffer }
  passwords: Passwords
  judgePassword: PasswordRules
  log: Log
  now: Now
}

/** An upload nobody has sent anything of for so long is over: seconds. */
const abandoned = 15 * 60

/** Passwords in clear that are hashed in one step: each takes a tenth of a second of two threads everybody shares. */
const hashedAtOnce = 5

/** Failures in a row after which an import is stopped. */
const mostTries = 5

/** Thrown to roll the transaction back: another process has done these rows, or somebody has stopped the import. */
class Overtaken extends Error {
  override name = 'Overtaken'
}

/** The rows cannot be opened: they were sealed under another key. */
class Unreadable extends Error {
  override name = 'Unreadable'
}

/** See `ImportWork` in jobs/import-people.ts, which runs it. */
export function openImportWork(ports: ImportWorkPorts) {
  const { store, config, now, log } = ports
  const key = importKeyOf(ports.keys.data)
  const upstreams = importUpstreams(config.connectors)
  const { domain } = config.site.local_accounts
  const rowRules: RowRules = {
    kinds: new Set(['person', ...config.enrolments.map(({ creates }) => creates.kind)]),
    upstreams,
    domain,
  }
  /** The part it is at, opened: the next step is mostly in the same one. */
  let opened: { of: string; part: ImportPart; rows: StoredRow[] } | undefined

  async function partOf({ id, position }: PeopleImportRow) {
    const last = opened
    if (last?.of === id && last.part.firstRow <= position && position < last.part.lastRow)
      return last
    const part = await store.importParts.after(id, position)
    opened = part && { of: id, part, rows: read(part) }
    return opened
  }

  function read(part: ImportPart): StoredRow[] {
    try {
      return openPart(key, part)
    } catch (cause) {
      throw new Unreadable('the rows of an import cannot be opened', { cause })
    }
  }

  async function step(limit: number, signal: AbortSignal): Promise<number | undefined> {
    const due = await store.peopleImports.next()
    if (!due) {
      opened = undefined
      return undefined
    }
    try {
      const found = await partOf(due)
      if (!found) return await finish(due)
      if (!(await mayStill(store, { actor: actorOf(due) }, 'people.import'))) {
        await stop(due)
        return 0
      }
      const rows = found.rows.filter(({ row }) => row > due.position).slice(0, limit)
      if (await hashPasswords(found, rows, signal)) return 0
      await (due.state === 'checking' ? check(due, rows) : bringIn(due, rows, found.part))
      return rows.length
    } catch (error) {
      opened = undefined
      if (error instanceof Overtaken) return 0
      if (!(error instanceof Unreadable)) {
        if (signal.aborted || !(await isHopeless(due))) throw error
        log.error({ err: error, import: due.id }, 'an import was given up')
        await giveUp(due)
        return 0
      }
      log.error({ err: error, import: due.id }, 'an import failed')
      await fail(due.id, 'unreadable')
      return 0
    }
  }

  /** All rows are through: after checking somebody decides, after importing it is done. */
  async function finish(due: PeopleImportRow): Promise<number> {
    const { id, state } = due
    const at = seconds(now)
    await store.transaction(async (tables) => {
      await hold(tables, due)
      const { straight } = importRules.parse(due.rules)
      if (state === 'checking') {
        await turn(tables, id, 'checking', 'checked', at)
        // Who said so beforehand may have lost her role since: then somebody else decides.
        if (!straight || !(await mayGive(tables, due.createdBy))) return
        await tables.peopleImports.start(id, due.createdBy, at)
        const event = { action: 'import.start', target: `import:${id}`, outcome: 'ok' }
        await tables.audit.record({ at, actor: due.createdBy, ...event })
        return
      }
      await turn(tables, id, 'importing', 'done', at)
      const { created, updated, same, refused } = due
      await tables.audit.record({
        at,
        actor: actorOf(due),
        action: 'import.done',
        target: `import:${id}`,
        outcome: 'ok',
        details: { created, updated, same, refused },
      })
    })
    return 0
  }

  /** Counts the failure; true after too many in a row. A count that cannot be written is no failure of the import. */
  async function isHopeless(due: PeopleImportRow): Promise<boolean> {
    const tries = await store.peopleImports.stumble(due).catch(() => 0)
    return (tries ?? 0) >= mostTries
  }

  /** Stops it and keeps its rows: staff may resume it once the cause is mended. */
  async function giveUp(
    { id, state }: PeopleImportRow,
    why = 'broken',
    details?: Record<string, string>,
  ) {
    const at = seconds(now)
    await store.transaction(async ({ peopleImports, audit }) => {
      if (!(await peopleImports.turn(id, [state], 'stopped', at, why))) return
      const event = { action: 'import.stop', target: `import:${id}`, outcome: why }
      await audit.record({ at, actor: 'system', ...event, ...(details ? { details } : {}) })
    })
  }

  /** Whoever started it has lost the permission: it waits for somebody who has it. */
  async function stop(due: PeopleImportRow) {
    const starter = actorOf(due)
    log.warn({ import: due.id, starter }, 'an import was stopped: its starter may no longer')
    await giveUp(due, 'not-allowed', { starter })
  }

  async function fail(id: string, problem: string) {
    const at = seconds(now)
    await store.transaction(async ({ peopleImports, importParts, audit }) => {
      const waiting = ['checking', 'checked', 'importing', 'stopped'] as const
      if (!(await peopleImports.turn(id, waiting, 'failed', at, problem))) return
      await importParts.dropAll(id)
      const event = { action: 'import.fail', target: `import:${id}`, outcome: problem }
      await audit.record({ at, actor: 'system', ...event })
    })
  }

  const readRows = (rows: StoredRow[]): ReadRow[] => rows.map((row) => readRow(row, rowRules))

  const judging = (
    tables: Pick<Tables, 'accounts' | 'bulkPeople'>,
    rules: ImportRules,
    at: number,
  ) => ({
    tables,
    rules,
    domain,
    upstreams,
    at,
  })

  /** Looks first, and writes down what it saw in a moment: nobody waits for the looking. */
  async function check(due: PeopleImportRow, rows: StoredRow[]) {
    const at = seconds(now)
    const rules = importRules.parse(due.rules)
    const verdicts = await judge(readRows(rows), { ...judging(store, rules, at), holding: false })
    await store.transaction(async (tables) => {
      await hold(tables, due)
      await putDown(tables, due, verdicts, at)
    })
  }

  async function bringIn(due: PeopleImportRow, rows: StoredRow[], part: ImportPart) {
    const at = seconds(now)
    const rules = importRules.parse(due.rules)
    const readAll = readRows(rows)
    await store.transaction(async (tables) => {
      // First of all: of two processes the second waits here, and finds that it has been done.
      await hold(tables, due)
      const verdicts = await judge(readAll, { ...judging(tables, rules, at), holding: true })
      const actor = actorOf(due)
      const came = await write(tables, verdicts, { importId: due.id, actor, at })
      await putDown(tables, due, came, at)
      if (rows.at(-1)?.row === part.lastRow) await tables.importParts.drop(part)
    })
  }

  /**
   * Passwords in clear give way to their hashes before anything else is done with their rows. True if some did: the rest
   * comes with the next step.
   */
  async function hashPasswords(
    found: NonNullable<typeof opened>,
    rows: StoredRow[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const bare = rows.filter(({ cells }) => cells.password !== undefined).slice(0, hashedAtOnce)
    if (bare.length === 0) return false
    for (const row of bare) {
      if (signal.aborted) return true
      const { password = '', account = '', name = '', email = '' } = row.cells
      delete row.cells.password
      const weak = await ports.judgePassword(password, [account, name, email])
      if (weak) row.weak = true
      else row.secret = await hashInTurn(password)
    }
    const part = sealPart(key, found.of, found.rows)
    await store.importParts.reseal(part)
    return true
  }

  /** Whoever signs in goes first. */
  async function hashInTurn(password: string): Promise<string> {
    for (;;) {
      try {
        return await ports.passwords.hash(password)
      } catch (error) {
        if (!(error instanceof BusyError)) throw error
        await sleep(500)
      }
    }
  }

  return {
    step,
    settle: () => store.sweeps.settle(),
    async tidy() {
      const at = seconds(now)
      for (const { id, state } of await store.peopleImports.overdue(at - abandoned, at)) {
        if (state === 'receiving') await store.peopleImports.remove(id)
        else await fail(id, 'expired')
      }
    },
  }
}

/** Who the work is done for: whoever resumed, started or uploaded it last. */
const actorOf = ({ createdBy, startedBy, resumedBy }: PeopleImportRow): string =>
  resumedBy ?? startedBy ?? createdBy

async function hold({ peopleImports }: Pick<Tables, 'peopleImports'>, due: PeopleImportRow) {
  if (!(await peopleImports.hold(due))) throw new Overtaken()
}

async function turn(
  { peopleImports }: Pick<Tables, 'peopleImports'>,
  id: string,
  from: 'checking' | 'importing',
  to: 'checked' | 'done',
  at: number,
) {
  if (!(await peopleImports.turn(id, [from], to, at))) throw new Overtaken()
}
