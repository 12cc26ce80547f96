/** What becomes of those who come back from a county for an application, or come for the first time. */
import { findKnown } from '#accounts/rekey.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import type { Errand, Return } from '#interaction/trips.ts'
import type { Context } from '../context.ts'
import type { House } from '../house.ts'
import { home, Problem } from '../problem.ts'
import { openJoiningPages } from './joining-pages.ts'
import { joinAgain, openWay, requireMember, visitor } from './joining-tools.ts'

export function openJoiningTrips(house: House) {
  const { enrolments } = house
  const pages = openJoiningPages(house)
  const goTo = openWay(house)

  return {
    /** Nobody here knows her, and an app waits: she joins, and goes on to it. */
    async welcome(
      ctx: Context,
      { uid, enrolment, identity }: Extract<Return, { kind: 'newcomer' }>,
    ): Promise<void> {
      const door = { entry: 'identity' as const, identity }
      goTo(ctx, await enrolments.begin(enrolment, door, visitor(house, ctx), uid))
    },

    async arrive(
      ctx: Context,
      errand: Extract<Errand, { kind: 'join' }>,
      identity: UpstreamIdentity,
    ): Promise<void> {
      const joining = await enrolments.find(errand.application, ctx.state.device ?? '')
      if (joining.kind === 'found') await requireMember(house, ctx, joining)
      const known = await findKnown(house.store, identity)
      const isHers = joining.kind === 'found' && joining.row.accountId === known?.id
      if (known && !isHers) throw pages.afterKnown(ctx, identity.connector)
      const arrived = await enrolments.arrive(errand, identity, visitor(house, ctx))
      switch (arrived.kind) {
        case 'next':
          return goTo(ctx, arrived.application)
        case 'again':
          return goTo(ctx, errand.application)
        default:
          throw new Problem(400, 'interaction.expired', { next: [joinAgain, home] })
      }
    },
  }
}
