/** Staff look at accounts that were joined, and part them again. */
import { accountName } from '#accounts/account-name.ts'
import { queueMail } from '#accounts/mail.ts'
import { addressesOf } from '#accounts/mail-addresses.ts'
import {
  type Conflict,
  lockBoth,
  type MergingPorts,
  type Moved,
  moveOut,
  type Pair,
} from '#accounts/merging.ts'
import { indexIn } from '#accounts/people-keys.ts'
import type { WriteLetter } from '#lib/letter.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { AccountRow, Circumstances, MergeRow, Store, Tables } from '#store/store.ts'
import { endAll } from './ending.ts'

export type PartingPorts = MergingPorts & {
  now: Now
  writeLetter: WriteLetter
  /** Who does it, and from where. */
  actor: string
  where?: Circumstances
  /** Whether whoever asks may undo this merge; asked with both accounts held. False answers `unknown`. */
  allow?: (tables: Tables, pair: Pair, merge: MergeRow) => Promise<boolean>
}

export type Parting = {
  id: string
  /** For the audit trail. */
  reason: string
  /** Goes on where something cannot be put back: that stays as it is now. */
  force: boolean
}

export type Parted =
  | { kind: 'undone'; kept: string; merged: string; conflicts: Conflict[] }
  | { kind: 'unknown' }
  /** Why not, as words. */
  | { kind: 'refused'; why: string }
  /** Nothing was changed. */
  | { kind: 'conflicts'; conflicts: Conflict[] }

/** Thrown to take back what was put back already. */
class ConflictsError extends Error {
  override name = 'ConflictsError'
  readonly conflicts: Conflict[]
  constructor(conflicts: Conflict[]) {
    super('not everything is as it was left')
    this.conflicts = conflicts
  }
}

/** Puts back what is still as it was left, and ends whatever is open at both. */
export async function undoMerge(
  store: Pick<Store, 'transaction'>,
  parting: Parting,
  ports: PartingPorts,
): Promise<Parted> {
  try {
    return await store.transaction((tables) => part(tables, parting, ports))
  } catch (error) {
    if (!(error instanceof ConflictsError)) throw error
    return { kind: 'conflicts', conflicts: error.conflicts }
  }
}

async function part(
  tables: Tables,
  { id, reason, force }: Parting,
  ports: PartingPorts,
): Promise<Parted> {
  const at = seconds(ports.now)
  const found = await tables.accountMerges.find(id)
  if (!found) return { kind: 'unknown' }
  const pair = await lockBoth(tables, found)
  if (!pair) throw new Error(`merge ${id} names accounts that are not there`)
  if (ports.allow && !(await ports.allow(tables, pair, found))) return { kind: 'unknown' }
  // Again, now that nobody else can undo it.
  const why = await whyNot(tables, (await tables.accountMerges.find(id)) ?? found, pair)
  if (why) return { kind: 'refused', why }

  const moved: Moved = JSON.parse(found.moved)
  const conflicts = await moveOut(tables, pair, moved, at, ports)
  if (conflicts.length > 0 && !force) throw new ConflictsError(conflicts)
  if (!(await tables.accounts.reactivate(pair.merged.id, at))) throw new Error('it was held')
  if (!(await tables.accountMerges.undo(id, at))) throw new Error('it was held')
  let ended = 0
  for (const one of [pair.kept.id, pair.merged.id]) ended += await endAll(tables, one, at)

  const left = conflicts.map(({ row, why }) => `${row.table} ${why}`)
  const details = { merge: id, reason, sessionsEnded: ended, left }
  for (const [target, other] of [
    [pair.kept.id, pair.merged.id],
    [pair.merged.id, pair.kept.id],
  ]) {
    const event = { action: 'account.merge-undo', target, outcome: 'ok' }
    const made = { at, actor: ports.actor, ...event, ...ports.where }
    await tables.audit.record({ ...made, details: { ...details, other } })
  }
  for (const account of [pair.kept, pair.merged]) {
    await tellParted(tables, account, { at, merge: id, language: moved.language }, ports)
  }
  await indexIn(tables, [pair.kept.id, pair.merged.id])
  return { kind: 'undone', kept: pair.kept.id, merged: pair.merged.id, conflicts }
}

async function whyNot(
  { accountMerges }: Pick<Tables, 'accountMerges'>,
  { undoneAt, moved }: MergeRow,
  { kept, merged }: Pair,
): Promise<string | undefined> {
  if (undoneAt !== undefined) {
    return `it was undone already, at ${new Date(undoneAt * 1000).toISOString()}`
  }
  if (moved === erased) {
    return `what was moved has been erased with account ${kept.id}, which its member closed`
  }
  if (merged.status !== 'suspended') {
    return `account ${merged.id} is ${merged.status}, not suspended as a merge leaves it`
  }
  const [later] = (await accountMerges.list({ accountId: kept.id, limit: 100 })).filter(
    (one) => one.merged === kept.id && one.undoneAt === undefined,
  )
  return (
    later && `account ${kept.id} was itself joined to ${later.kept} since: undo ${later.id} first`
  )
}

/** What the erasure of an account leaves of its merges. */
const erased = '{}'

async function tellParted(
  tables: Tables,
  { id }: AccountRow,
  { at, merge, language }: { at: number; merge: string; language: string },
  { writeLetter }: PartingPorts,
): Promise<void> {
  const account = await tables.accounts.find(id)
  if (!account) return
  const names = await tables.identifiers.ofAccount(id)
  const name = account.profile.name?.value
  const params = { account: accountName(account, names) || id.slice(0, 8), merge }
  for (const to of await addressesOf(tables, account, names)) {
    const mail = writeLetter({
      kind: 'accounts-parted',
      to,
      language,
      params,
      ...(name ? { name } : {}),
    })
    await queueMail(tables, mail, { at })
  }
}
