/**
 * Looks into what somebody asked for who may be nobody. The page has answered by then: neither its words nor its time
 * say whether there is such an account.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { answerReset, type RecoveryPorts } from '#accounts/recovery.ts'
import type { ResendRequest, ResetRequest } from '#accounts/requests.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Store, Tables } from '#store/store.ts'
import type { Courier } from './deliver.ts'

export type RequestPorts = {
  store: Pick<Store, 'transaction'>
  now: Now
  recovery: RecoveryPorts
  enrolments: {
    /** Sends it in the transaction in which `take` takes the request out. */
    resendWaiting(address: string, take: (tables: Tables) => Promise<boolean>): Promise<boolean>
  }
}

/** Until then the page that asked is on its way: what is done for those who exist must not hold it up. */
const restMs = 200

/** One of each kind of request. It takes its message out itself, with all it writes, or not at all. */
const answers = {
  reset: (id: string, request: ResetRequest, { store, now, recovery }: RequestPorts) =>
    answerReset(store, id, request, seconds(now), recovery),
  async resend(id: string, { address }: ResendRequest, { enrolments }: RequestPorts) {
    await enrolments.resendWaiting(address, ({ outbox }) => outbox.drop(id))
  },
}

export function openRequestCourier(ports: RequestPorts): Courier {
  return {
    kind: 'request',
    atOnce: 4,
    patienceSeconds: 10,
    async deliver({ id, payload }, signal) {
      await sleep(restMs, undefined, { signal })
      const request = payload as ResetRequest | ResendRequest
      if (request.ask === 'reset') await answers.reset(id, request, ports)
      else await answers.resend(id, request, ports)
      return { kind: 'delivered' }
    },
  }
}
