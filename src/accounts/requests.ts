/** What a page puts down for whoever it may be: who that is, is looked up when nobody waits for the answer any more. */
import { randomUUID } from 'node:crypto'
import type { Circumstances, Store } from '#store/store.ts'

/** A new password. */
export type ResetRequest = {
  ask: 'reset'
  /** Made comparable. */
  account: string
  language: string
  where: Circumstances
}

/** An activation mail once more, for whoever waits for one at this address. */
export type ResendRequest = { ask: 'resend'; address: string; language: string }

/** Puts it down. Does the same for everybody: nothing is read. */
export async function putRequest(
  { outbox }: Pick<Store, 'outbox'>,
  payload: ResetRequest | ResendRequest,
  { at, ref }: { at: number; ref: string | undefined },
): Promise<void> {
  // A target of its own: it waits for nobody else's.
  await outbox.put({ kind: 'request', target: ref || randomUUID(), payload, createdAt: at })
}
