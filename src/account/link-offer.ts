/** Somebody who came a new way has shown that an account is hers: from then on that way leads to it. */
import { isGuarded } from '#accounts/guarded.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { LinkedMeanwhileError, type Store, type Tables } from '#store/store.ts'
import { type Acting, acted, lockMember, NotActiveError } from './act.ts'
import { type Linked, type LinkPorts, linkIn } from './identities.ts'

export type AcceptPorts = LinkPorts & {
  /** Takes the offer out: true for one caller. */
  take: (tables: Tables) => Promise<boolean>
  /** What it stands on may have changed meanwhile. Asked with her account locked. */
  stands: (tables: Tables) => Promise<boolean>
  /** The second factor she has shown besides, for the audit trail. */
  factor?: string | undefined
}

export type Accepted =
  | Linked
  /** Nothing was changed. */
  | { kind: 'over' }
  /** Nor here: more guards her account than what she has shown. The offer stays. */
  | { kind: 'guarded' }

/** Links it in one transaction with the offer's end. */
export async function acceptOffer(
  store: Store,
  acting: Acting,
  identity: UpstreamIdentity,
  { take, stands, factor, ...ports }: AcceptPorts,
): Promise<Accepted> {
  try {
    return await store.transaction(async (tables): Promise<Accepted> => {
      await lockMember(tables, acting.accountId)
      if (!(await stands(tables))) return { kind: 'over' }
      const how = { how: 'offer', ...(factor === undefined ? {} : { factor }) }
      if (factor === undefined && (await isGuarded(tables, acting.accountId))) {
        const details = { connector: identity.connector, ...how }
        const outcome = 'second-factor'
        await tables.audit.record(acted(acting, 'identity.link', { outcome, details }))
        return { kind: 'guarded' }
      }
      if (!(await take(tables))) return { kind: 'over' }
      return linkIn(tables, acting, identity, ports, how)
    })
  } catch (error) {
    if (error instanceof NotActiveError || error instanceof LinkedMeanwhileError)
      return { kind: 'over' }
    throw error
  }
}
