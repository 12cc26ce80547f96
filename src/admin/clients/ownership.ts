/** The owners of an app: who may change it without a role for all apps, and who gets its letters. */
import { accountName } from '#accounts/account-name.ts'
import { findByName } from '#accounts/local.ts'
import { findNamed } from '#accounts/named.ts'
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
  const rows = await tables.clientOwners.of(id)
  const called = rows.filter((row) => row.called !== undefined)
  const known = await knownTo(tables, by, called.map(idOf))
  const isOpen = (row: ClientOwnerRow) => row.called === undefined || known.has(row.accountId)
  const people = await findNamed(tables, rows.filter(isOpen).map(idOf))
  return rows.flatMap((row) => {
    const { accountId, called = '', createdAt: since } = row
    if (!isOpen(row)) return [{ accountId: markOf(keys, row), account: called, since }]
    const person = people.get(accountId)
    if (!person) return []
    const name = person.account.profile.name?.value
    const account = accountName(person.account, person.names) || accountId
    return [{ accountId, account, ...(name ? { name } : {}), since }]
  })
}

const idOf = ({ accountId }: ClientOwnerRow): string => accountId

/** Of which owners `by` may learn who they are: she herself may, and whoever reaches them as people. */
async function knownTo(
  { peopleSearch }: Pick<Tables, 'peopleSearch'>,
  by: By,
  accountIds: string[],
): Promise<Set<string>> {
  const hers = accountIds.filter((one) => one === by.actor)
  const reach = reachOf(by, 'people.read')
  if (!reach) return new Set(hers)
  const within = withinOf({ reach })
  if (within === undefined) return new Set(accountIds)
  return new Set([...hers, ...(await peopleSearch.among(accountIds, within))])
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
    const known = await knownTo(tables, by, [found.id])
    return done({ id, accountId: known.has(found.id) ? found.id : markOf(ports.keys, owner) })
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
