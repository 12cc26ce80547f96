/** Whether the provider signed it (OpenID Authentication 2.0 §6, §11.4). */
import { createHmac } from 'node:crypto'
import { equalInConstantTime } from '#lib/crypto.ts'
import { Fault } from '../../calls/fault.ts'
import type { Association } from './association.ts'
import type { Fields } from './fields.ts'
import { readKeyValue, writeKeyValue } from './key-value.ts'
import { openid2 } from './namespaces.ts'
import type { Reach } from './reach.ts'

/** Base64 HMAC-SHA256 over the signed fields in their order (§6.1). */
export function sign(fields: Fields, signed: string[], macKey: string): string {
  const pairs = signed.map((name) => [name, fields.get(name) ?? ''] as const)
  return createHmac('sha256', Buffer.from(macKey, 'base64'))
    .update(writeKeyValue(pairs))
    .digest('base64')
}

/** By the secret we share (§11.4.1). */
export function checkSignature(fields: Fields, signed: string[], { macKey }: Association): void {
  if (!equalInConstantTime(fields.get('sig') ?? '', sign(fields, signed, macKey))) {
    throw new Fault('forged', 'sig is not the provider’s')
  }
}

/**
 * By asking the provider, where the answer is signed with a secret of its own (§11.4.2). Gives the handle it says to
 * know no more, if it says one.
 */
export async function checkAuthentication(
  fields: Fields,
  endpoint: string,
  reach: Reach,
): Promise<string | undefined> {
  const form = new URLSearchParams()
  for (const [name, value] of fields) form.set(`openid.${name}`, value)
  form.set('openid.mode', 'check_authentication')
  const { status, text } = await reach.post(endpoint, form)
  if (status >= 500) {
    // With its status: what the browser brought may have made it crash, and closes nobody's gate.
    throw new Fault('unreachable', `check_authentication: answered HTTP ${status}`, { status })
  }
  const said = readKeyValue(text)
  if (status !== 200 || !['true', 'false'].includes(said.get('is_valid') ?? '')) {
    throw new Fault('nonsense', `check_authentication: answered HTTP ${status}, and not yes or no`)
  }
  if ((said.get('ns') ?? openid2) !== openid2) {
    throw new Fault('nonsense', 'check_authentication: it is no OpenID 2.0 answer')
  }
  if (said.get('is_valid') !== 'true') {
    throw new Fault('forged', 'check_authentication: the provider did not sign it')
  }
  return said.get('invalidate_handle')
}
