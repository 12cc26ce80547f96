/** `openid.response_nonce` (OpenID Authentication 2.0 §10.1, §11.3): when an answer was given, good once. */
import { Fault } from '../../calls/fault.ts'

const minute = 60
const pastSeconds = 5 * minute
/** Their clock may be ahead of ours. */
const futureSeconds = 2 * minute

/** `use` is what must not come again from this endpoint until `expiresAt`, in seconds. */
export type ResponseNonce = { use: string; expiresAt: number }

export function readNonce(nonce: string, endpoint: string, now: number): ResponseNonce {
  const form = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)[\x21-\x7e]*$/.exec(nonce)
  const at = Date.parse(form?.[1] ?? '') / 1000
  if (nonce.length > 255 || Number.isNaN(at)) throw new Fault('nonsense', 'response_nonce is none')
  if (at < now - pastSeconds) throw new Fault('forged', 'response_nonce is old')
  if (at > now + futureSeconds) throw new Fault('forged', 'response_nonce is of the future')
  // A while longer than it is taken: clocks of several machines are never the same.
  return { use: `openid2 ${endpoint} ${nonce}`, expiresAt: at + pastSeconds + minute }
}
