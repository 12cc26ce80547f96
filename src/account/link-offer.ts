/** Somebody who came a new way has shown that an account is hers: from then on that way leads to it. */
import type { UpstreamIdentity } from '#federation/connector.ts'
import { LinkedMeanwhileError, type Store, type Tables } from '#store/store.ts'
import { type Acting, lockMember, NotActiveError } from './act.ts'
import { type Linked, type LinkPorts, linkIn } from './identities.ts'

export type AcceptPorts = LinkPorts & {
  /** Takes the offer out: true for one caller. */
  take: (tables: Tables) => Promise<boolean>
  /** What it stands on may have changed meanwhile. Asked with her account locked. */
  stands: (tables: Tables) => Promise<boolean>
}

/** Links it in one transaction with the offer's end. `over`: nothing was changed. */
export async function acceptOffer(
  store: Store,
  acting: Acting,
  identity: UpstreamIdentity,
  { take, stands, ...ports }: AcceptPorts,
): Promise<Linked | { kind: 'over' }> {
  try {
    return await store.transaction(async (tables) => {
      await lockMember(tables, acting.accountId)
      if (!(await stands(tables)) || !(await take(tables))) return { kind: 'over' } as const
      return linkIn(tables, acting, identity, ports, { how: 'offer' })
    })
  } catch (error) {
    if (error instanceof NotActiveError || error instanceof LinkedMeanwhileError)
      return { kind: 'over' }
    throw error
  }
}
