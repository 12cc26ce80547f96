/** Two accounts of one person are joined: the one she is signed in to stays, whatever opened the other opens it now. */
import { joiningLetters, tellJoined } from '#accounts/joining-letters.ts'
import { countOf, lockBoth, type MergingPorts, type Moved, moveIn } from '#accounts/merging.ts'
import type { WriteLetter } from '#lib/letter.ts'
import { endSessions } from '#oidc/sessions.ts'
import type { Store } from '#store/store.ts'
import { acted, NotActiveError } from './act.ts'
import { endWhatElseIsOpen } from './ending.ts'
import { type ActingHere, findProposal, type ProofPorts } from './merge-proof.ts'

export type MergePorts = ProofPorts & MergingPorts & { writeLetter: WriteLetter }

export type Joined =
  | { kind: 'joined' }
  /** What she proved holds no more, was used, or is not what she was shown. */
  | { kind: 'over' }

/**
 * Of two tabs that join at once one does, and of two accounts that are joined both ways at once one stays. Whoever is
 * signed in to the other account is out; here, whoever is elsewhere.
 */
export async function joinAccounts(
  store: Store,
  acting: ActingHere,
  /** The proposal she was shown. */
  wanted: string,
  ports: MergePorts,
): Promise<Joined> {
  const { accountId, at, sessionUid, language } = acting
  return store.transaction(async (tables): Promise<Joined> => {
    const proposal = await tables.accountMerges.findProposal(accountId, at)
    if (proposal?.id !== wanted) return { kind: 'over' }
    const pair = await lockBoth(tables, proposal)
    if (pair?.kept.status !== 'active') throw new NotActiveError('account is not active')
    // Again, now that nobody can change either.
    const held = await findProposal(tables, acting, ports)
    if (held?.id !== wanted) return { kind: 'over' }

    const letters = await joiningLetters(tables, pair, wanted)
    const sessions = {
      ended: await endSessions(tables, pair.kept.id, at, { exceptUid: sessionUid }),
      endedThere: await endWhatElseIsOpen(tables, { accountId: pair.merged.id, at }),
    }
    const moved: Moved = { ...(await moveIn(tables, pair, at, ports)), language }
    const suspended = await tables.accounts.suspend(pair.merged.id, at)
    const completed = await tables.accountMerges.complete(wanted, JSON.stringify(moved), at)
    if (!suspended || !completed) throw new Error('two accounts that were held changed')

    const { by } = held
    const details = { merge: wanted, ...sessions, ...countOf(moved), way: by.way }
    await tables.audit.record(
      acted(acting, 'account.merge', { details: { ...details, merged: pair.merged.id } }),
    )
    await tables.audit.record(
      acted(acting, 'account.merge', {
        target: pair.merged.id,
        details: { ...details, kept: accountId },
      }),
    )
    await tellJoined(tables, letters, { at, language }, ports.writeLetter)
    return { kind: 'joined' }
  })
}

export type ListedMerge = {
  id: string
  /** Whether this account stayed or was joined to the other one. */
  role: 'kept' | 'merged'
  mergedAt: number
  undoneAt?: number
  moved: string
}

/** Newest first. */
export async function listMerges(
  { accountMerges }: Pick<Store, 'accountMerges'>,
  accountId: string,
): Promise<ListedMerge[]> {
  const rows = await accountMerges.list({ accountId, limit: 100 })
  return rows.map(({ kept, merged: _, ...row }) => ({
    ...row,
    role: kept === accountId ? 'kept' : 'merged',
  }))
}
