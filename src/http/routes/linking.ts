/** A way in that waits is linked to the account somebody has shown to be hers. */
import { acceptOffer } from '#account/link-offer.ts'
import { type OpenOffer, type Place, takeOffer } from '#interaction/link-offers.ts'
import { seconds } from '#lib/time.ts'
import type { Tables } from '#store/store.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context } from '../context.ts'
import type { House } from '../house.ts'
import { type NextStep, Problem } from '../problem.ts'
import { connectorLabel } from './account/labels.ts'

/** Which question, in which browser. */
export const placeOf = (ctx: Context, uid: string): Place => ({
  uid,
  device: ctx.state.device ?? '',
})

export const offerPath = (uid: string): string => `/interaction/${encodeURIComponent(uid)}/link`

/** `stands`: whether what shows that the account is hers still does. Throws the page for an offer that is over. */
export const openLinking =
  (house: House) =>
  async (
    ctx: Context,
    uid: string,
    open: OpenOffer,
    stands: (tables: Tables) => Promise<boolean> = async () => true,
  ): Promise<void> => {
    const { store, now, writeLetter } = house
    const { language } = ctx.state
    const at = seconds(now)
    const labelOf = (id: string) => connectorLabel(house, language, id)
    const acting = { accountId: open.accountId, at, language, where: circumstancesOf(ctx) }
    const take = (tables: Tables) => takeOffer(tables, placeOf(ctx, uid), open, at)
    const ports = { writeLetter, labelOf, take, stands }
    const accepted = await acceptOffer(store, acting, open.identity, ports)
    const { connector } = open.identity
    ctx.state.log.info({ connector, outcome: accepted.kind }, 'link offer')
    if (accepted.kind === 'over') throw offerOver(uid)
    if (accepted.kind === 'taken') {
      const params = { county: labelOf(connector) }
      throw new Problem(409, 'account.identity-taken', { params, next: [signInAnew(uid)] })
    }
  }

/** It has expired, or was answered before. */
export const offerOver = (uid: string): Problem =>
  new Problem(409, 'link-offer.over', { next: [signInAnew(uid)] })

const signInAnew = (uid: string): NextStep => ({
  id: 'sign-in',
  kind: 'link',
  href: `/interaction/${encodeURIComponent(uid)}?choose=1`,
  labelKey: 'next.sign-in',
  primary: true,
})
