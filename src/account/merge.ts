/** Two accounts of one person are joined: the one she is signed in to stays, whatever opened the other opens it now. */
import { accountName } from '#accounts/account-name.ts'
import { queueMail } from '#accounts/mail.ts'
import { addressesOf } from '#accounts/mail-addresses.ts'
import { lockBoth, type MergingPorts, type Moved, moveIn, type Pair } from '#accounts/merging.ts'
import type { WriteLetter } from '#lib/letter.ts'
import { maskName } from '#lib/mask.ts'
import { endSessions } from '#oidc/sessions.ts'
import type { AccountRow, Store, Tables } from '#store/store.ts'
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

    const letters = await lettersOf(tables, pair, wanted)
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
    for (const { name, ...letter } of letters) {
      const greeted = name ? { name } : {}
      const mail = ports.writeLetter({ kind: 'accounts-joined', language, ...greeted, ...letter })
      await queueMail(tables, mail, { at })
    }
    return { kind: 'joined' }
  })
}

/** How many rows of each table. */
function countOf({ rows }: Moved): { moved: Record<string, number> } {
  const moved: Record<string, number> = {}
  for (const { table } of rows) moved[table] = (moved[table] ?? 0) + 1
  return { moved }
}

/** To every address of both, as they are before anything is moved. Each reader knows one account: of the other, a hint. */
async function lettersOf(tables: Tables, { kept, merged }: Pair, merge: string) {
  const [stays, goes] = [await nameOf(tables, kept), await nameOf(tables, merged)]
  const hers = await addressesOf(tables, kept, stays.names)
  const theirs = await addressesOf(tables, merged, goes.names)
  return [
    ...hers.map((to) => ({
      to,
      name: kept.profile.name?.value,
      params: { account: stays.name, other: maskName(goes.name), merge },
    })),
    ...theirs
      .filter((to) => !hers.includes(to))
      .map((to) => ({
        to,
        name: merged.profile.name?.value,
        params: { account: maskName(stays.name), other: goes.name, merge },
      })),
  ]
}

async function nameOf({ identifiers }: Pick<Tables, 'identifiers'>, account: AccountRow) {
  const names = await identifiers.ofAccount(account.id)
  return { names, name: accountName(account, names) || account.id.slice(0, 8) }
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
