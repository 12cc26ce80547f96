/** A positive assertion, checked for everything but its signature (OpenID Authentication 2.0 §10, §11.1, §11.2). */

import { Fault } from '../../calls/fault.ts'
import { type ClaimedIdRules, readClaimedId } from '../../claimed-id.ts'
import type { Fields } from './fields.ts'
import { writeKeyValue } from './key-value.ts'
import { openid2 } from './namespaces.ts'
import { type ResponseNonce, readNonce } from './response-nonce.ts'

export type ExpectedResponse = {
  /** The OP Endpoint URL this trip went to. */
  endpoint: string
  returnTo: string
  /** The callback as the browser called it. */
  arrived: URL
  rules: ClaimedIdRules
  /** Seconds since 1970. */
  now: number
}

export type Assertion = {
  /** As links are kept: in the one spelling of this county. */
  claimedId: string
  nonce: ResponseNonce
  /** Names in the order they were signed in. */
  signed: string[]
}

const mustBeSigned = [
  'op_endpoint',
  'return_to',
  'response_nonce',
  'assoc_handle',
  'claimed_id',
  'identity',
]
/** Of the message itself; whatever else is not signed is nobody's word. */
const mayBeUnsigned = new Set(['ns', 'mode', 'sig', 'signed', 'invalidate_handle'])

export function readResponse(fields: Fields, expected: ExpectedResponse): Assertion {
  checkEndpoint(fields, expected.endpoint)
  // An OpenID 1.1 answer says neither who gave it nor when.
  if (fields.get('ns') !== openid2) throw new Fault('nonsense', 'it is no OpenID 2.0 answer')
  checkMode(fields)
  checkReturnTo(fields, expected)
  const signed = readSigned(fields)
  return {
    claimedId: readIdentifier(fields, expected.rules),
    nonce: readNonce(fields.get('response_nonce') ?? '', expected.endpoint, expected.now),
    signed,
  }
}

/** First of all whose answer it is: one of another provider's must not count for this one (§11.2). */
function checkEndpoint(fields: Fields, endpoint: string) {
  const said = fields.get('op_endpoint')
  // Only an assertion has to say it: what says no is signed by nobody and proves nothing.
  const needed = fields.get('mode') === 'id_res'
  if (said === undefined ? needed : hrefOf(said) !== hrefOf(endpoint)) {
    throw new Fault('forged', 'op_endpoint is not where we went')
  }
}

/** However its host's letters are written. */
const hrefOf = (address: string) => URL.parse(address)?.href ?? address

function checkMode(fields: Fields) {
  switch (fields.get('mode')) {
    case 'id_res':
      return
    case 'cancel':
    case 'setup_needed':
      throw new Fault('refused', `mode=${fields.get('mode')}`)
    case 'error':
      // Without openid.error: it is free text and may name the person.
      throw new Fault('refused', 'mode=error')
    default:
      throw new Fault('nonsense', 'mode is none we know')
  }
}

/** It came where we asked it to, with all we gave along, whether its fields came in the query or as a form (§11.1). */
function checkReturnTo(fields: Fields, { returnTo, arrived }: ExpectedResponse) {
  if (fields.get('return_to') !== returnTo) throw new Fault('forged', 'return_to is not ours')
  const asked = new URL(returnTo)
  const same = asked.origin === arrived.origin && asked.pathname === arrived.pathname
  const kept = [...asked.searchParams].every(([name, value]) => {
    const values = arrived.searchParams.getAll(name)
    return values.length === 1 && values[0] === value
  })
  if (!same || !kept) throw new Fault('forged', 'it came to another address than return_to')
}

function readSigned(fields: Fields): string[] {
  const signed = (fields.get('signed') ?? '').split(',')
  if (new Set(signed).size !== signed.length || !signed.every((name) => fields.has(name))) {
    throw new Fault('forged', 'signed names a field twice, or one that is not there')
  }
  if (!mustBeSigned.every((name) => signed.includes(name))) {
    throw new Fault('forged', 'signed leaves out what must be')
  }
  for (const name of fields.keys()) {
    if (!mayBeUnsigned.has(name) && !signed.includes(name)) {
      throw new Fault('forged', 'it carries fields nobody signed')
    }
  }
  // Also where only the provider reckons it: the same signed text could be cut into other fields.
  writeKeyValue(signed.map((name) => [name, fields.get(name) ?? '']))
  return signed
}

/**
 * §11.2 asks what is discovered of the claimed identifier to be what the answer says. Having asked for whoever it is
 * (identifier_select), what we know of these identifiers beforehand is the operator's file: this endpoint speaks for
 * them, they are on these hosts and look like this. No address an answer names is ever called.
 */
function readIdentifier(fields: Fields, rules: ClaimedIdRules): string {
  const claimedId = readClaimedId(fields.get('claimed_id') ?? '', rules)
  if (claimedId === undefined) throw new Fault('forged', 'claimed_id is none of this county')
  if (!fields.get('identity')) throw new Fault('nonsense', 'it has no identity')
  return claimedId
}
