/** Two accounts of one person become one, and one two again: whose rows they are. Nothing is said to anybody here. */
import { sha256 } from '#lib/crypto.ts'
import type { AccountRow, Attribute, MovedRow, RowState, Tables } from '#store/store.ts'
import { sealFor } from './personal-numbers.ts'

export type MergingPorts = {
  /** Opens personal numbers, and seals them for another owner. */
  numberKey: Buffer
}

/** The account that stays and the one that is joined to it. */
export type Pair = { kept: AccountRow; merged: AccountRow }

/** What is written down, so that it can be put back exactly. */
export type Moved = {
  rows: MovedRow[]
  /** Attributes the account that stays did not have. */
  profile: Record<string, Attribute>
  /** Of the letters about it. */
  language: string
}

/** How many rows of each table were moved, for the audit trail. */
export function countOf({ rows }: Pick<Moved, 'rows'>): { moved: Record<string, number> } {
  const moved: Record<string, number> = {}
  for (const { table } of rows) moved[table] = (moved[table] ?? 0) + 1
  return { moved }
}

/** A row that cannot be put back as it was. */
export type Conflict = { row: MovedRow; why: Exclude<RowState, 'moved'> }

/**
 * Both, held until the transaction ends. Always in the order of their ids: of two who join the same accounts the other
 * way round one waits, and neither waits for ever.
 */
export async function lockBoth(
  { accounts }: Pick<Tables, 'accounts'>,
  { kept, merged }: { kept: string; merged: string },
): Promise<Pair | undefined> {
  const held = new Map<string, AccountRow>()
  for (const id of [kept, merged].sort()) {
    const row = await accounts.lock(id)
    if (row) held.set(id, row)
  }
  const [stays, goes] = [held.get(kept), held.get(merged)]
  return stays && goes && stays !== goes ? { kept: stays, merged: goes } : undefined
}

/** Moves everything the account that stays may have several of, or has none of. Call it with both held. */
export async function moveIn(
  tables: Tables,
  { kept, merged }: Pair,
  at: number,
  ports: MergingPorts,
): Promise<Pick<Moved, 'rows' | 'profile'>> {
  const rows = await tables.accountMoves.move(merged.id, kept.id)
  rows.push(...(await moveNumbers(tables, { kept, merged }, ports)))
  if (rows.some(({ table }) => table === 'agreement')) await tables.agreements.recount(kept.id)
  const missing = Object.entries(merged.profile).filter(([claim]) => !kept.profile[claim])
  const profile = Object.fromEntries(missing)
  if (missing.length > 0) {
    await tables.accounts.setProfile(kept.id, { ...kept.profile, ...profile }, at)
  }
  return { rows, profile }
}

/** Puts back what is still as it was left. What is not stays where it is, and is named. Call it with both held. */
export async function moveOut(
  tables: Tables,
  { kept, merged }: Pair,
  { rows, profile }: Pick<Moved, 'rows' | 'profile'>,
  at: number,
  ports: MergingPorts,
): Promise<Conflict[]> {
  const conflicts: Conflict[] = []
  const linked = await tables.identities.ofAccount(kept.id)
  for (const row of rows) {
    const why =
      row.table === numbers
        ? await moveNumberBack(tables, { kept, merged }, row, ports)
        : await tables.accountMoves.moveBack(row, merged.id, kept.id)
    if (why !== 'moved') conflicts.push({ row, why })
  }
  if (rows.some(({ table }) => table === 'agreement')) {
    for (const { id } of [kept, merged]) await tables.agreements.recount(id)
  }
  // Either profile may be behind what its upstreams have said meanwhile.
  for (const { id } of [kept, merged]) await tables.identities.forgetReadings(id)
  const gone = new Set(linked.map(({ connector }) => connector))
  for (const { connector } of await tables.identities.ofAccount(kept.id)) gone.delete(connector)
  // What a county says that is linked no more was said of the other account, whenever it said it.
  const own = Object.entries(kept.profile).filter(([claim, { by, value }]) => {
    const filled = profile[claim]
    return !gone.has(by) && !(filled && filled.by === by && filled.value === value)
  })
  if (own.length < Object.keys(kept.profile).length) {
    await tables.accounts.setProfile(kept.id, Object.fromEntries(own), at)
  }
  return conflicts
}

const numbers = 'personal_number'

/** A number is sealed for its owner: the row is made anew. */
async function moveNumbers(
  { personalNumbers }: Pick<Tables, 'personalNumbers'>,
  { kept, merged }: Pair,
  { numberKey }: MergingPorts,
): Promise<MovedRow[]> {
  const own = await personalNumbers.ofAccount(kept.id)
  const theirs = await personalNumbers.ofAccount(merged.id)
  const moving = theirs.filter(({ type }) => !own.some((one) => one.type === type))
  for (const row of moving) {
    const sealed = sealFor(numberKey, row, kept.id)
    await personalNumbers.put({ ...row, accountId: kept.id, sealed })
    await personalNumbers.remove(merged.id, row.type)
  }
  return moving.map(({ type, digest }) => ({ table: numbers, key: { type }, mark: sha256(digest) }))
}

async function moveNumberBack(
  { personalNumbers }: Pick<Tables, 'personalNumbers'>,
  { kept, merged }: Pair,
  { key, mark }: MovedRow,
  { numberKey }: MergingPorts,
): Promise<RowState> {
  const own = await personalNumbers.ofAccount(kept.id)
  const row = own.find(({ type }) => type === key.type)
  if (!row) return 'gone'
  if (sha256(row.digest) !== mark) return 'changed'
  const sealed = sealFor(numberKey, row, merged.id)
  await personalNumbers.put({ ...row, accountId: merged.id, sealed })
  await personalNumbers.remove(kept.id, row.type)
  return 'moved'
}
