/** Somebody who has just joined signs in without being asked again: she proved herself a moment ago. */
import { loginOf } from '#interaction/arrival.ts'
import { keepUpstreamSession, standsOn } from '#interaction/upstream-logout.ts'
import type { Context } from '../context.ts'
import type { House } from '../house.ts'
import { visitor } from './joining-tools.ts'

const prefix = 'joined:'

/** Marks a sign-in as one of this application's. Worth nothing in another browser, or a second time. */
export const joinedHint = (application: string): string => `${prefix}${application}`

export const applicationIn = (hint: string | undefined): string | undefined =>
  hint?.startsWith(prefix) ? hint.slice(prefix.length) : undefined

/** Her sign-in, once and only minutes after; nothing otherwise. */
export async function loginAfterJoining(house: House, ctx: Context, application: string) {
  const fresh = await house.enrolments.takeFresh(application, visitor(house, ctx))
  if (!fresh) return undefined
  const { accountId, amr, federated, upstream: standing, at } = fresh
  const { store, keys, trips } = house
  const until = at + trips.upstreamSessionSeconds
  if (standing) await keepUpstreamSession(store, standing, accountId, until)
  const { acr } = house.config.site
  return loginOf(
    accountId,
    { amr, authTime: at },
    {
      acr: federated ? acr.upstream : acr.password,
      remember: false,
      at,
      ...(standing ? { upstream: standsOn(standing, keys.data) } : {}),
    },
  )
}
