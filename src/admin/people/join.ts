/** Staff join two accounts of one person, and part them again. */
import { randomUUID } from 'node:crypto'
import { joiningLetters, tellJoined } from '#accounts/joining-letters.ts'
import { countOf, type Moved, moveIn } from '#accounts/merging.ts'
import { indexIn } from '#accounts/people-keys.ts'
import { numberKeyOf } from '#accounts/personal-numbers.ts'
import type { AccountRow, Tables } from '#store/store.ts'
import { endAll } from '../ending.ts'
import { undoMerge } from '../merges.ts'
import { type Acting, done, type Outcome, rejected, unknown } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { reachOf } from '../staff.ts'
import { decided, lettersLanguage } from './acts.ts'
import { reaches, withinOf } from './reach.ts'

type Joining = { sub: string; other: string; reason: string; passFactor: boolean }

/** Seconds a proposal may wait; this one is carried out in the transaction that makes it. */
const aMoment = 60

/** Both, held, if both are within reach. Always in the order of their ids: see `lockBoth`. */
async function holdBoth(
  tables: Tables,
  by: Acting,
  { sub, other }: Pick<Joining, 'sub' | 'other'>,
) {
  const held: (AccountRow | undefined)[] = []
  for (const id of [sub, other].sort()) {
    held.push(await tables.peopleSearch.lock(id, withinOf(by)))
  }
  const [kept, merged] = [sub, other].map((id) => held.find((one) => one?.id === id))
  return kept && merged ? { kept, merged } : undefined
}

/**
 * `sub` stays, and whatever opened `other` opens it from now on. A second factor of `other` would keep its member from
 * doing so without it; staff pass it by where they say so, and that is written down.
 */
export async function mergePeople(
  ports: AdminPorts,
  by: Acting,
  joining: Joining,
): Promise<Outcome<{ merge: string }>> {
  const { sub, other, reason, passFactor } = joining
  if (sub === other) return rejected('other', 'is the same account', 'people-same')
  return ports.store.transaction(async (tables): Promise<Outcome<{ merge: string }>> => {
    const pair = await holdBoth(tables, by, joining)
    if (!pair) return unknown
    const { kept, merged } = pair
    for (const { id } of [kept, merged]) {
      // A role is given to one person at one account: it neither moves along nor is lost on the way.
      if ((await tables.staffRoles.of(id)).length > 0) {
        return { kind: 'refused', why: 'people-merge-staff' }
      }
    }
    if (kept.status !== 'active' || merged.status !== 'active') {
      return { kind: 'refused', why: 'people-merge-active' }
    }
    const moving = await tables.identities.ofAccount(other)
    if (!moving.every(({ connector }) => reaches(by, connector))) {
      return { kind: 'refused', why: 'people-merge-elsewhere' }
    }
    const factors = await tables.secondFactors.ofAccount(other)
    if (factors.length > 0 && !passFactor) {
      const message =
        'must be true: the other account has a second factor, which nobody is asked for'
      return rejected('passFactor', message, 'people-merge-factor')
    }
    const merge = randomUUID()
    const { at } = by
    const letters = await joiningLetters(tables, pair, merge)
    const ended = { kept: await endAll(tables, sub, at), merged: await endAll(tables, other, at) }
    const numberKey = numberKeyOf(ports.keys.data)
    const moved: Moved = {
      ...(await moveIn(tables, pair, at, { numberKey })),
      language: lettersLanguage,
    }
    const proposal = { id: merge, kept: sub, merged: other, proof: '', expiresAt: at + aMoment }
    await tables.accountMerges.propose(proposal)
    const suspended = await tables.accounts.suspend(other, at)
    const completed = await tables.accountMerges.complete(merge, JSON.stringify(moved), at)
    if (!suspended || !completed) throw new Error('two accounts that were held changed')
    await indexIn(tables, [sub, other])
    const details = {
      merge,
      reason,
      way: 'staff',
      ...(factors.length > 0 ? { passedFactors: factors.map(({ type }) => type) } : {}),
      sessionsEnded: ended,
      ...countOf(moved),
    }
    await tables.audit.record(decided(by, 'account.merge', sub, { ...details, merged: other }))
    await tables.audit.record(decided(by, 'account.merge', other, { ...details, kept: sub }))
    await tellJoined(tables, letters, { at, language: lettersLanguage }, ports.writeLetter)
    return done({ merge })
  })
}

type Parting = { sub: string; merge: string; reason: string; force: boolean }
type Left = { table: string; why: string }

/** A merge `sub` came out of. What cannot be put back stays as it is now, if `force`; else nothing is changed. */
export async function undoMergeOf(
  ports: AdminPorts,
  by: Acting,
  { sub, merge, reason, force }: Parting,
): Promise<Outcome<{ kept: string; merged?: string; left: Left[] }>> {
  // The other account may be beyond her reach, as on the person's page.
  const all = withinOf(by) === undefined
  if (!(await ports.store.peopleSearch.find(sub, withinOf(by)))) return unknown
  const { actor, where } = by
  let barred = false
  const parted = await undoMerge(
    ports.store,
    { id: merge, reason, force },
    {
      now: ports.now,
      writeLetter: ports.writeLetter,
      numberKey: numberKeyOf(ports.keys.data),
      actor,
      where,
      async allow(tables, { kept, merged }, row) {
        // A login of a county out of reach is not hers to move.
        if (kept.id !== sub || !connectorsOf(row.moved).every((one) => reaches(by, one))) {
          return false
        }
        const holders = [kept.id, merged.id].map((id) => tables.staffRoles.of(id))
        const roles = (await Promise.all(holders)).flat()
        barred = roles.length > 0 && !reachOf(by, 'staff.write')
        return !barred
      },
    },
  )
  switch (parted.kind) {
    case 'unknown':
      return barred ? { kind: 'refused', why: 'people-staff' } : unknown
    case 'refused':
      return { kind: 'conflict', why: all ? parted.why : 'they are not as the merge left them' }
    case 'conflicts':
      return { kind: 'refused', why: 'people-undo-conflicts' }
    case 'undone': {
      const left = parted.conflicts.map(({ row: { table }, why }) => ({ table, why }))
      return done({ kept: parted.kept, ...(all ? { merged: parted.merged } : {}), left })
    }
  }
}

/** The upstreams of the logins that moved. */
function connectorsOf(moved: string): string[] {
  const { rows = [] }: Partial<Moved> = JSON.parse(moved)
  return rows.flatMap(({ table, label = '' }) => (table === 'identity' ? [label] : []))
}
