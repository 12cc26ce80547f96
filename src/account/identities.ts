/** The county accounts a member signs in with: linked and unlinked by herself. */
import { putLink } from '#accounts/put-link.ts'
import { tell } from '#accounts/tell.ts'
import { profileWithout } from '#accounts/vouched-profile.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import type { WriteLetter } from '#lib/letter.ts'
import { type IdentityRow, LinkedMeanwhileError, type Store, type Tables } from '#store/store.ts'
import { type Acting, acted, lockMember } from './act.ts'
import { endWhatElseIsOpen } from './ending.ts'

export type LinkPorts = {
  writeLetter: WriteLetter
  /** What a person calls the upstream. */
  labelOf: (connector: string) => string
}

export type UnlinkPorts = LinkPorts & {
  /** An upstream nobody can be sent to is no way in. */
  isConnected: (connector: string) => boolean
}

export type ListedIdentity = IdentityRow & {
  /** Without it nobody could sign in to the account any more. */
  last: boolean
}

/** Oldest first. */
export async function listIdentities(
  store: Store,
  accountId: string,
  ports: Pick<UnlinkPorts, 'isConnected'>,
): Promise<ListedIdentity[]> {
  const identities = await store.identities.ofAccount(accountId)
  const knows = await hasPassword(store, accountId)
  return identities.map((one) => ({
    ...one,
    last: !knows && !leaveAWayIn(identities, one, ports),
  }))
}

/** She can sign in by one of the others. */
const leaveAWayIn = (
  identities: IdentityRow[],
  { id }: IdentityRow,
  { isConnected }: Pick<UnlinkPorts, 'isConnected'>,
): boolean => identities.some((one) => one.id !== id && isConnected(one.connector))

/** A password is a way in for who has a name to type with it. */
async function hasPassword(
  { identifiers, credentials }: Pick<Tables, 'identifiers' | 'credentials'>,
  accountId: string,
): Promise<boolean> {
  const names = await identifiers.ofAccount(accountId)
  return names.length > 0 && (await credentials.findPassword(accountId)) !== undefined
}

export type Unlinked =
  | { kind: 'unlinked'; connector: string }
  /** It is gone, or was never hers. */
  | { kind: 'unknown' }
  | { kind: 'last-way-in' }

/**
 * Of two tabs that unlink the last two at once, one is told that hers is the last. It may have been somebody else's: all
 * that is open elsewhere ends with it, and what it vouched for nobody vouches for any more.
 */
export async function unlinkIdentity(
  store: Store,
  acting: Acting & { sessionUid: string },
  identityId: string,
  { writeLetter, labelOf, isConnected }: UnlinkPorts,
): Promise<Unlinked> {
  const { accountId } = acting
  return store.transaction(async (tables): Promise<Unlinked> => {
    const account = await lockMember(tables, accountId)
    const identities = await tables.identities.ofAccount(accountId)
    const wanted = identities.find(({ id }) => id === identityId)
    if (!wanted) return { kind: 'unknown' }
    const others = leaveAWayIn(identities, wanted, { isConnected })
    if (!others && !(await hasPassword(tables, accountId))) return { kind: 'last-way-in' }
    await tables.identities.unlink(identityId, accountId)
    const { connector } = wanted
    // Another account at the same county goes on vouching.
    if (!identities.some((one) => one.id !== identityId && one.connector === connector)) {
      const names = await tables.identifiers.ofAccount(accountId)
      const profile = profileWithout(connector, account.profile, names, acting.at)
      await tables.accounts.setProfile(accountId, profile, acting.at)
    }
    const sessionsEnded = await endWhatElseIsOpen(tables, acting)
    const details = { connector, sessionsEnded }
    await tables.audit.record(acted(acting, 'identity.unlink', { details }))
    await tell(tables, account, acting, (her) =>
      writeLetter({
        kind: 'identity-unlinked',
        ...her,
        params: { ...her.params, county: labelOf(connector) },
      }),
    )
    return { kind: 'unlinked', connector }
  })
}

export type Linked =
  | { kind: 'linked'; connector: string }
  /** It is linked to this account already. */
  | { kind: 'hers-already' }
  /** Somebody else signs in with it: it is never taken from her. */
  | { kind: 'taken' }

/** Links the identity a trip brought. Whoever links it first has it, however many accounts race for it. */
export async function linkIdentity(
  store: Store,
  acting: Acting,
  identity: UpstreamIdentity,
  ports: LinkPorts,
): Promise<Linked> {
  try {
    return await store.transaction((tables) => linkIn(tables, acting, identity, ports))
  } catch (error) {
    if (error instanceof LinkedMeanwhileError) return { kind: 'taken' }
    throw error
  }
}

/** The same inside a transaction. `how` is for the audit trail. Throws NotActiveError and LinkedMeanwhileError. */
export async function linkIn(
  tables: Tables,
  acting: Acting,
  identity: UpstreamIdentity,
  { writeLetter, labelOf }: LinkPorts,
  how: Record<string, string> = {},
): Promise<Linked> {
  const { accountId, at, where } = acting
  const { connector } = identity
  const details = { connector, ...how }
  const account = await lockMember(tables, accountId)
  const put = await putLink(tables, account, identity, { ...where, at })
  if (put !== 'linked') {
    const outcome = put === 'hers-already' ? 'linked-already' : put
    await tables.audit.record(acted(acting, 'identity.link', { outcome, details }))
    return { kind: put }
  }
  await tables.audit.record(acted(acting, 'identity.link', { details }))
  await tell(tables, account, acting, (her) =>
    writeLetter({
      kind: 'identity-linked',
      ...her,
      params: { ...her.params, county: labelOf(connector) },
    }),
  )
  return { kind: 'linked', connector }
}
