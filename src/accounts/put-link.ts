/** An upstream identity is put down as one member's, who has shown that both are hers. */
import type { UpstreamIdentity } from '#federation/connector.ts'
import type { AccountRow, Circumstances, Tables } from '#store/store.ts'
import { attachIdentity } from './attach-identity.ts'
import { isSomebodyElse } from './fingerprint.ts'
import { findCarriedOver, findFormer, rekey } from './rekey.ts'
import { profileFrom } from './vouched-profile.ts'

export type Put =
  | 'linked'
  | 'hers-already'
  /** Somebody else signs in with it, or did before: it is never taken from her. */
  | 'taken'

/**
 * A link she had at the same county before is carried over: she does not have two of it. Call it inside a transaction,
 * her account locked. Throws LinkedMeanwhileError.
 */
export async function putLink(
  tables: Tables,
  account: AccountRow,
  identity: UpstreamIdentity,
  around: Circumstances & { at: number },
): Promise<Put> {
  const known = await tables.identities.find(identity.issuer, identity.subject)
  if (known) return known.account.id === account.id ? 'hers-already' : 'taken'
  const former = await findFormer(tables, identity)
  if (former.kind === 'one' && former.link.account.id === account.id) {
    if (isSomebodyElse(former.link.identity.fingerprint, identity.fingerprint)) return 'taken'
    const link = { ...former.link, account }
    return (await rekey(tables, link, identity, around)) ? 'linked' : 'taken'
  }
  // How her county knew somebody else, or more than one: it is not hers to take.
  if (former.kind !== 'none') return 'taken'
  const carried = await findCarriedOver(tables, identity)
  if (carried) return carried.account.id === account.id ? 'hers-already' : 'taken'
  const { at } = around
  if (!(await attachIdentity(tables, account.id, identity, at))) return 'taken'
  await tables.accounts.setProfile(account.id, profileFrom(identity, account.profile, at), at)
  return 'linked'
}
