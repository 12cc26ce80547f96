/** The owners of an app: who may change it without a role for all apps, and who gets its letters. */
import { accountName } from '#accounts/account-name.ts'
import { findByName } from '#accounts/local.ts'
import { deriveKey, hmac } from '#lib/crypto.ts'
import type { ClientOwnerRow, Tables } from '#store/store.ts'
import { type Acting, done, type Outcome, rejected } from '../operation.ts'
import { withinOf } from '../people/reach.ts'
import type { AdminPorts } from '../ports.ts'
import { type By, reachOf } from '../staff.ts'
import { changedMeanwhile, changing, keepChange, record } from './changes.ts'

/** `accountId`: to who may not know whose it is, a mark that is good for this app only. */
export type Owner = { accountId: string; account: string; name?: string; since: number }

type Keys = { data: Buffer }
type Reading = Pick<Tables, 'clientOwners' | 'accounts' | 'identifiers' | 'peopleSearch'>

/**
 * The oldest first; `since` in seconds since 1970. Who was added by a name is shown by it, and by nothing else, to whoever
 * does not reach her as a person: nobody finds out who somebody is by giving her an app.
 */
export async function ownersOf(tables: Reading, keys: Keys, by: By, id: string): Promise<Owner[]> {
  const owners: Owner[] = []
  for (const row of await tables.clientOwners.of(id)) {
    const { accountId, called, createdAt: since } = row
    if (called !== undefined && !(await mayKnow(tables, by, accountId))) {
      owners.push({ accountId: markOf(keys, row), account: called, since })
      continue
    }
    const account = await tables.accounts.find(accountId)
    if (!account) continue
    const names = await tables.identifiers.ofAccount(accountId)
    const name = account.profile.name?.value
    owners.push({
      accountId,
      account: accountName(account, names) || accountId,
      ...(name ? { name } : {}),
      since,
    })
  }
  return owners
}

/** Whether `by` may learn who an owner is: she herself may, and whoever reaches her as a person. */
async function mayKnow(
  { peopleSearch }: Pick<Tables, 'peopleSearch'>,
  by: By,
  accountId: string,
): Promise<boolean> {
  if (by.actor === accountId) return true
  const reach = reachOf(by, 'people.read')
  if (!reach) return false
  const within = withinOf({ reach })
  return within === undefined || (await peopleSearch.find(accountId, within)) !== undefined
}

const markOf = ({ data }: Keys, { clientId, accountId }: ClientOwnerRow): string =>
  hmac(deriveKey(data, 'app owners'), JSON.stringify([clientId, accountId]))

/** Tries an hour for whoever does not reach all people: each one tells whether an account exists. */
const tries = { most: 20, seconds: 60 * 60 }

async function triedTooOften({ limits }: Pick<AdminPorts, 'limits'>, by: By): Promise<boolean> {
  if (reachOf(by, 'people.read')?.kind === 'all') return false
  const [{ points }] = await limits.counters.hit({
    of: ['app owner', by.actor],
    seconds: tries.seconds,
  })
  return points > tries.most
}

/** `account`: a name she signs in with. */
export async function addOwner(
  ports: Pick<AdminPorts, 'store' | 'provider' | 'config' | 'keys' | 'limits'>,
  by: Acting,
  { id, account }: { id: string; account: string },
): Promise<Outcome<{ id: string; accountId: string }>> {
  const tooOften = await triedTooOften(ports, by)
  return changing(ports, by, id, async (tables, row) => {
    if (tooOften) return { kind: 'refused', why: 'clients.too-many-owners' }
    const { domain } = ports.config.site.local_accounts
    const accountId = await findByName(tables, account, domain)
    const found = accountId === undefined ? undefined : await tables.accounts.find(accountId)
    if (!found || found.status === 'closed') {
      await record(tables, id, 'client.add-owner', by, {}, 'unknown')
      return rejected('account', 'is no account we have', 'app-no-account')
    }
    if (await tables.clientOwners.has(id, found.id)) {
      return rejected('account', 'owns the app already', 'app-owner-already')
    }
    const change = { because: 'owner-add', details: { account: found.id } } as const
    if (!(await keepChange(tables, row, row, by, change))) return changedMeanwhile
    const owner = { clientId: id, accountId: found.id, createdAt: by.at, called: account }
    await tables.clientOwners.add(owner)
    const known = await mayKnow(tables, by, found.id)
    return done({ id, accountId: known ? found.id : markOf(ports.keys, owner) })
  })
}

/** `unknown` also where she does not own it. Who reaches only her own apps leaves each an owner. */
export async function removeOwner(
  ports: Pick<AdminPorts, 'store' | 'provider' | 'keys'>,
  by: Acting,
  { id, accountId: wanted }: { id: string; accountId: string },
): Promise<Outcome<{ id: string }>> {
  return changing(ports, by, id, async (tables, row) => {
    const owners = await ownersOf(tables, ports.keys, by, id)
    // By what she was shown: an id she has from elsewhere would tell her whose it is.
    if (!owners.some((one) => one.accountId === wanted)) return { kind: 'unknown' }
    if (by.reach.kind !== 'all' && owners.length === 1) {
      return { kind: 'refused', why: 'clients.last-owner' }
    }
    const rows = await tables.clientOwners.of(id)
    const owner = rows.find((one) => [one.accountId, markOf(ports.keys, one)].includes(wanted))
    if (!owner) return { kind: 'unknown' }
    const { accountId } = owner
    const change = { because: 'owner-remove', details: { account: accountId } } as const
    if (!(await keepChange(tables, row, row, by, change))) return changedMeanwhile
    await tables.clientOwners.remove(id, accountId)
    return done({ id })
  })
}
