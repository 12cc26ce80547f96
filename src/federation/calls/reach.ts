/** The network as one upstream shows itself through it. */
import type { CustomFetchOptions } from 'openid-client'
import { Fault } from './fault.ts'

/** What openid-client calls its customFetch with. */
export type Network = (url: string, options?: Partial<CustomFetchOptions>) => Promise<Response>

/** The lent fetch, with what fails on the way and what an ailing server answers told as faults. */
export function reach(fetch: typeof globalThis.fetch): Network {
  return async (url, options) => {
    let response: Response
    try {
      // The library's type allows a body in shared memory, which it never sends and fetch refuses.
      response = await fetch(url, options as RequestInit)
    } catch (cause) {
      throw networkFault(cause)
    }
    // Their error pages are HTML as often as not: the status says enough.
    if (response.status >= 500 || response.status === 429) {
      await response.body?.cancel()
      const { status } = response
      throw new Fault('unreachable', `answered HTTP ${status}`, { status })
    }
    return response
  }
}

/** What fetch threw, told as a fault. */
export function networkFault(cause: unknown): Fault {
  for (let at = cause; at instanceof Error; at = at.cause) {
    const code = 'code' in at && typeof at.code === 'string' ? at.code : at.name
    if (/^timeout$|^(?:Timeout|Abort)Error$|^ETIMEDOUT$|^UND_ERR_.*TIMEOUT$/.test(code)) {
      return new Fault('slow', 'no answer within the time limit', { cause })
    }
    if (code === 'too-large') return new Fault('nonsense', 'answered more than we read', { cause })
    if (code === 'blocked') {
      return new Fault('unreachable', 'its address may not be called', { cause })
    }
  }
  return new Fault('unreachable', 'could not be reached', { cause })
}
