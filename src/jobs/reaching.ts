/** What it means for a delivery that a call through the guarded client was not answered. */
import type { Outcome } from '#lib/delivery.ts'
import { OutboundError, type OutboundFailure } from '#outside/fetch.ts'

const words: Record<OutboundFailure, string> = {
  blocked: 'its address leads into our own network',
  unreachable: 'it could not be reached',
  timeout: 'it did not answer in time',
  'too-large': 'it answered more than we read',
}

/** The outcome of `call`; not reaching anybody is one of them, in words without an address. */
export async function reaching(call: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof OutboundError) return { kind: 'failed', why: words[error.code] }
    throw error
  }
}
