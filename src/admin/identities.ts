/** What staff do with links of upstream accounts: look at what could not be read, and settle whose a login is. */
import { indexIn } from '#accounts/people-keys.ts'
import { profileWithout } from '#accounts/vouched-profile.ts'
import type { Circumstances, IdentityRow, Store, Tables } from '#store/store.ts'
import { endAll } from './ending.ts'

export type ListedIdentity = Pick<IdentityRow, 'id' | 'connector' | 'accountId' | 'readAt'> & {
  /** What could not be read of its last answer. */
  unread: string[]
  hasFingerprint: boolean
}

/** Those of whose answer something could not be read, newest first, or one account's. */
export async function listIdentities(
  { identities }: Pick<Store, 'identities'>,
  which: { accountId: string } | { unread: true; limit: number },
): Promise<ListedIdentity[]> {
  const rows =
    'accountId' in which
      ? await identities.ofAccount(which.accountId)
      : await identities.unread(which.limit)
  return rows.map(({ id, connector, accountId, readAt, unread = [], fingerprint }) => ({
    id,
    connector,
    accountId,
    readAt,
    unread,
    hasFingerprint: fingerprint !== undefined,
  }))
}

export type SettledBy = { actor: string; at: number; where?: Circumstances }

const settled = (
  { actor, at, where }: SettledBy,
  action: string,
  { id, accountId, connector }: IdentityRow,
  more: Record<string, number> = {},
) => ({
  at,
  actor,
  action,
  target: accountId,
  outcome: 'ok',
  details: { connector, identity: id, ...more },
  ...where,
})

/** It is the same person still: her next sign-in puts down what tells her from others. False if there is no such link. */
export const acceptIdentity = (store: Store, id: string, by: SettledBy): Promise<boolean> =>
  store.transaction((tables) => acceptIn(tables, id, by))

/** The same inside a transaction. */
export async function acceptIn(tables: Tables, id: string, by: SettledBy): Promise<boolean> {
  const identity = await tables.identities.get(id)
  if (!identity || !(await tables.identities.dropFingerprint(id))) return false
  await tables.audit.record(settled(by, 'identity.accept', identity))
  return true
}

export type Released =
  | { kind: 'unknown' }
  /** `waysLeft`: other links of hers, and a password. */
  | { kind: 'released'; accountId: string; waysLeft: number }

/** It is somebody else's now: it leads to this account no more, and whoever came in by it is out. */
export const releaseIdentity = (store: Store, id: string, by: SettledBy): Promise<Released> =>
  store.transaction((tables) => releaseIn(tables, id, by))

/** The same inside a transaction. */
export async function releaseIn(tables: Tables, id: string, by: SettledBy): Promise<Released> {
  const seen = await tables.identities.get(id)
  const account = seen && (await tables.accounts.lock(seen.accountId))
  if (!account || !(await tables.identities.unlink(id, account.id))) return { kind: 'unknown' }
  const { connector } = seen
  const others = await tables.identities.ofAccount(account.id)
  if (!others.some((one) => one.connector === connector)) {
    const names = await tables.identifiers.ofAccount(account.id)
    const profile = profileWithout(connector, account.profile, names, by.at)
    await tables.accounts.setProfile(account.id, profile, by.at)
    await indexIn(tables, [account.id])
  }
  const sessionsEnded = await endAll(tables, account.id, by.at)
  await tables.audit.record(settled(by, 'identity.unlink', seen, { sessionsEnded }))
  const waysLeft = others.length + Number(await hasPassword(tables, account.id))
  return { kind: 'released', accountId: account.id, waysLeft }
}

const hasPassword = async ({ credentials }: Pick<Tables, 'credentials'>, accountId: string) =>
  (await credentials.findPassword(accountId)) !== undefined
