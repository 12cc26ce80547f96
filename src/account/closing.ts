/** A member closes her account, and may have it back for a while. */
import { accountName } from '#accounts/account-name.ts'
import { isLastOwner } from '#accounts/last-owner.ts'
import { normalName } from '#accounts/local.ts'
import { tell } from '#accounts/tell.ts'
import type { WriteLetter } from '#lib/letter.ts'
import type { AccountRow, Store, Tables } from '#store/store.ts'
import { type Acting, acted, lockMember } from './act.ts'
import { endWhatElseIsOpen } from './ending.ts'

export type ClosingPorts = {
  writeLetter: WriteLetter
  /** How long she can have it back. */
  graceSeconds: number
  /** Where one signs in. */
  link: string
}

/** What she types to show that she means it. */
export async function closingPhrase(
  { identifiers }: Pick<Tables, 'identifiers'>,
  account: AccountRow,
): Promise<string> {
  return accountName(account, await identifiers.ofAccount(account.id)) || account.id.slice(0, 8)
}

export type Closed =
  | { kind: 'closed' }
  | { kind: 'again'; problem: 'account.close.wrong' | 'account.close.last-owner' }

/** Every session and every token ends with it; the name stays hers until it is erased. */
export async function closeAccount(
  store: Store,
  acting: Acting,
  phrase: string,
  { writeLetter, graceSeconds, link }: ClosingPorts,
): Promise<Closed> {
  const { accountId, at } = acting
  return store.transaction(async (tables): Promise<Closed> => {
    const account = await lockMember(tables, accountId)
    if (normalName(phrase) !== normalName(await closingPhrase(tables, account))) {
      return { kind: 'again', problem: 'account.close.wrong' }
    }
    if (await isLastOwner(tables, accountId)) {
      return { kind: 'again', problem: 'account.close.last-owner' }
    }
    await tables.accounts.close(accountId, at)
    const sessionsEnded = await endWhatElseIsOpen(tables, { accountId, at })
    await tables.audit.record(acted(acting, 'account.close', { details: { sessionsEnded } }))
    await tell(tables, account, acting, (her) =>
      writeLetter({
        kind: 'account-closed',
        ...her,
        link,
        params: { ...her.params, lasts: graceSeconds },
      }),
    )
    return { kind: 'closed' }
  })
}

/** Until when a closed account can be had back; undefined where its member did not close it, or it is too late. */
export function reopenableUntil(
  { status, closedAt }: AccountRow,
  graceSeconds: number,
  at: number,
): number | undefined {
  if (status !== 'closed' || closedAt === undefined) return undefined
  const until = closedAt + graceSeconds
  return at < until ? until : undefined
}

/** How she proved that it is hers, and for which app. */
export type ReopenedBy = { way: 'password' | 'upstream'; connector?: string; clientId: string }

/** For who proved just now that it is hers: she is signed in by it. False if it is not as it was when she did. */
export async function reopenAccount(
  store: Store,
  acting: Acting,
  { closedAt, by: { clientId, ...way } }: { closedAt: number; by: ReopenedBy },
  { writeLetter, graceSeconds }: Omit<ClosingPorts, 'link'>,
): Promise<boolean> {
  const { accountId, at } = acting
  return store.transaction(async (tables) => {
    const account = await tables.accounts.lock(accountId)
    if (!account || reopenableUntil(account, graceSeconds, at) === undefined) return false
    if (!(await tables.accounts.reopen(accountId, closedAt, at))) return false
    await tables.audit.record(acted(acting, 'account.reopen'))
    const signedIn = { target: `client:${clientId}`, details: { ...way, reopened: true } }
    await tables.audit.record(acted(acting, 'session.sign-in', signedIn))
    await tell(tables, account, acting, (her) => writeLetter({ kind: 'account-reopened', ...her }))
    return true
  })
}
