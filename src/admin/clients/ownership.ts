/** Whose app it is: who may change it without being let to change every app, and who is written to. */
import { accountName } from '#accounts/account-name.ts'
import { findByName } from '#accounts/local.ts'
import type { Tables } from '#store/store.ts'
import { type Acting, done, type Outcome, rejected } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { changedMeanwhile, changing, keepChange } from './changes.ts'

export type Owner = { accountId: string; account: string; name?: string; since: number }

/** The oldest first; `since` in seconds since 1970. */
export async function ownersOf(
  tables: Pick<Tables, 'clientOwners' | 'accounts' | 'identifiers'>,
  id: string,
): Promise<Owner[]> {
  const owners: Owner[] = []
  for (const { accountId, createdAt } of await tables.clientOwners.of(id)) {
    const account = await tables.accounts.find(accountId)
    if (!account) continue
    const names = await tables.identifiers.ofAccount(accountId)
    const name = account.profile.name?.value
    owners.push({
      accountId,
      account: accountName(account, names) || accountId,
      ...(name ? { name } : {}),
      since: createdAt,
    })
  }
  return owners
}

/** `account`: a name she signs in with. */
export async function addOwner(
  ports: Pick<AdminPorts, 'store' | 'provider' | 'config'>,
  by: Acting,
  { id, account }: { id: string; account: string },
): Promise<Outcome<{ id: string; accountId: string }>> {
  return changing(ports, by, id, async (tables, row) => {
    const { domain } = ports.config.site.local_accounts
    const accountId = await findByName(tables, account, domain)
    const found = accountId === undefined ? undefined : await tables.accounts.find(accountId)
    if (!found || found.status === 'closed') {
      return rejected('account', 'is no account we have', 'app-no-account')
    }
    if (await tables.clientOwners.has(id, found.id)) {
      return rejected('account', 'owns the app already', 'app-owner-already')
    }
    const change = { because: 'owner-add', details: { account: found.id } } as const
    if (!(await keepChange(tables, row, row, by, change))) return changedMeanwhile
    await tables.clientOwners.add({ clientId: id, accountId: found.id, createdAt: by.at })
    return done({ id, accountId: found.id })
  })
}

/** `unknown` also where she does not own it. Who reaches only her own apps leaves each an owner. */
export async function removeOwner(
  ports: Pick<AdminPorts, 'store' | 'provider'>,
  by: Acting,
  { id, accountId }: { id: string; accountId: string },
): Promise<Outcome<{ id: string }>> {
  return changing(ports, by, id, async (tables, row) => {
    const owners = await tables.clientOwners.of(id)
    if (!owners.some((one) => one.accountId === accountId)) return { kind: 'unknown' }
    if (by.reach.kind !== 'all' && owners.length === 1) {
      return { kind: 'refused', why: 'clients.last-owner' }
    }
    const change = { because: 'owner-remove', details: { account: accountId } } as const
    if (!(await keepChange(tables, row, row, by, change))) return changedMeanwhile
    await tables.clientOwners.remove(id, accountId)
    return done({ id })
  })
}
