/**
 * Looks into what somebody asked for who may be nobody. The page has answered by then: neither its words nor its time
 * say whether there is such an account.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { answerReset, type RecoveryPorts, type ResetRequest } from '#accounts/recovery.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Store } from '#store/store.ts'
import type { Courier } from './deliver.ts'

export type RequestPorts = { store: Pick<Store, 'transaction'>; now: Now; recovery: RecoveryPorts }

/** Until then the page that asked is on its way: what is done for those who exist must not hold it up. */
const restMs = 200

/** One of each kind of request. It takes its message out itself, with all it writes, or not at all. */
const answers = {
  reset: (id: string, request: ResetRequest, { store, now, recovery }: RequestPorts) =>
    answerReset(store, id, request, seconds(now), recovery),
}

export function openRequestCourier(ports: RequestPorts): Courier {
  return {
    kind: 'request',
    atOnce: 4,
    patienceSeconds: 10,
    async deliver({ id, payload }, signal) {
      await sleep(restMs, undefined, { signal })
      const request = payload as ResetRequest
      await answers[request.ask](id, request, ports)
      return { kind: 'delivered' }
    },
  }
}
