/**
 * Staff find somebody by a telephone number or an address that is shown to them with a mask: who tries many would read
 * it all the same. So it is counted, and written down.
 */
import { normalName } from '#accounts/local.ts'
import { deriveKey, hmac } from '#lib/crypto.ts'
import type { Acting } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { decided } from './acts.ts'

export type LookUpPorts = Pick<AdminPorts, 'store' | 'keys' | 'limits'>

/** What was typed, where it may be such a value as a whole. */
export function personalIn(typed: string): string | undefined {
  const value = normalName(typed.toWellFormed().replace(/\p{Cc}/gu, ''))
  return /^[^\s@]+@[^\s@]+$/.test(value) || /^\+?\d[\d ()-]{6,}$/.test(value) ? value : undefined
}

const hour = 60 * 60

const counted = ({ actor }: Acting) => ({ of: ['look-ups by', actor], seconds: hour })

/** Before anybody is looked for. Seconds she has to wait, or zero. */
export async function spendLookUp({ store, limits }: LookUpPorts, by: Acting): Promise<number> {
  const { failures_per_account_per_hour: most } = limits.rules.sign_in
  const [{ points, leftSeconds }] = await limits.counters.hit(counted(by))
  if (points <= most) return 0
  // Once: whoever goes on is not to fill the trail.
  if (points === most + 1) {
    const event = { ...decided(by, 'account.look-up', ''), outcome: 'refused' }
    await store.audit.record(event)
  }
  return leftSeconds
}

/** She was found by what everybody sees: nothing was learnt. */
export const giveBackLookUp = ({ limits }: LookUpPorts, by: Acting) =>
  limits.counters.hit({ ...counted(by), points: -1 })

/** Who was found by it, or nobody: that is an answer, too. What was typed is kept as a mark nobody reads back. */
export async function noteLookUp(
  { store, keys }: LookUpPorts,
  by: Acting,
  personal: string,
  found: string[],
): Promise<void> {
  const mark = hmac(deriveKey(keys.data, 'values looked up'), personal).slice(0, 16)
  const kind = personal.includes('@') ? 'address' : 'phone'
  for (const target of found.length > 0 ? found : ['']) {
    await store.audit.record(
      decided(by, 'account.look-up', target, { kind, mark, found: found.length }),
    )
  }
}
