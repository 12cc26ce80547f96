/** What the browser brought back from the authorization endpoint (RFC 6749 §4.1.2). */
import { errorCode, Fault } from '../../calls/fault.ts'

export type ExpectedResponse = {
  /** What the caller says it sent, perhaps read from this very URL, and what the memo remembers. */
  states: [string, string | undefined]
  issuer: string
  /** The upstream said that it always sends `iss` (RFC 9207 §3). */
  issuerRequired: boolean
}

/** Throws unless it is an answer to our own question that carries a code. */
export function checkResponse(params: URLSearchParams, expected: ExpectedResponse) {
  const one = (name: string): string | undefined => {
    const values = params.getAll(name)
    // Which of two values counts is what an attacker would like us and the upstream to disagree on.
    if (values.length > 1) throw new Fault('forged', `${name} came twice`)
    return values[0]
  }
  // First of all whose answer it is: a code of another upstream must not go to this one (RFC 9700 §4.4).
  const iss = one('iss')
  if (iss === undefined ? expected.issuerRequired : iss !== expected.issuer) {
    throw new Fault('forged', 'iss is not this upstream')
  }
  const state = one('state')
  if (!state || expected.states.some((sent) => sent !== state)) {
    throw new Fault('forged', 'state is not the one we sent')
  }
  const error = one('error')
  // Only the code: the description is free text and may name the person.
  if (error !== undefined) throw new Fault('refused', `error=${errorCode(error)}`)
  if (!one('code')) throw new Fault('nonsense', 'it carries no code')
}
