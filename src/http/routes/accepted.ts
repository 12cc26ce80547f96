/** Somebody who has just accepted an invitation to be staff signs in without being asked again, in this browser and once. */
import { type Accepted, takeAccepted as take } from '#admin/staff/acceptance.ts'
import type { Reply } from '#interaction/answers.ts'
import { steppedUp } from '#interaction/second-factor.ts'
import { seconds } from '#lib/time.ts'
import type { Context } from '../context.ts'
import type { House } from '../house.ts'

const prefix = 'invited:'

/** Marks a sign-in as one of this invitation's, which is known by a hash. Worth nothing in another browser. */
export const acceptedHint = (invitation: string): string => `${prefix}${invitation}`

/** The invitation a `login_hint` marks, if it is one of ours. */
export const acceptedIn = (hint: string | undefined): string | undefined =>
  hint?.startsWith(prefix) ? hint.slice(prefix.length) : undefined

/** The acceptance of this invitation in this browser, once and only moments after it; else undefined. */
export const takeAccepted = (
  { store, keys, now }: Pick<House, 'store' | 'keys' | 'now'>,
  ctx: Context,
  invitation: string,
): Promise<Accepted | undefined> =>
  take({ store, dataKey: keys.data }, { invitation, device: ctx.state.device ?? '' }, seconds(now))

/** For who was not signed in: with the password she chose, and the second factor she set up. */
export async function loginAfterAccepting(
  house: House,
  ctx: Context,
  invitation: string,
): Promise<Reply | undefined> {
  const accepted = await takeAccepted(house, ctx, invitation)
  if (!accepted) return undefined
  const { accountId, amr, at } = accepted
  const rules = { acr: house.config.site.acr.two_factor, at }
  const answer = steppedUp({ accountId, amr: [], remember: false }, amr, rules)
  return { kind: 'finish', answer: { ...answer, select_account: {} } }
}
