/** Holds that one piece of work (lib/proof-of-work.ts) is good for one form. */
import type { Proof } from '#lib/proof-of-work.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Counters } from './counters.ts'

/** Marks the proof as used, until it has expired. True for exactly one caller, however many race in whichever process. */
export async function spendProof(
  { counters, now }: { counters: Counters; now: Now },
  { id, expiresAt }: Proof,
): Promise<boolean> {
  // A second more than it is good for: the clocks of two processes may differ by that.
  const left = Math.max(1, expiresAt - seconds(now) + 1)
  const [{ points }] = await counters.hit({ of: ['proof of work', id], seconds: left })
  return points === 1
}
