/** A way in that waits is linked to the account somebody has shown to be hers. */
import { acceptOffer } from '#account/link-offer.ts'
import { keepShown, type OpenOffer, type Place, takeOffer } from '#interaction/link-offers.ts'
import type { Login } from '#interaction/question.ts'
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

export const factorPath = (uid: string): string => `${offerPath(uid)}/second-factor`

type Showing = {
  /** Whether what shows that the account is hers still does. */
  stands: (tables: Tables) => Promise<boolean>
  /** How she would sign in to it by that. */
  login?: Login | undefined
  /** The second factor she has shown besides. */
  factor?: string
}

/**
 * True when it is linked; false when she was sent to show her second factor first. Throws the page for an offer that is
 * over.
 */
export const openLinking =
  (house: House) =>
  async (
    ctx: Context,
    uid: string,
    open: OpenOffer,
    { stands, login, factor }: Showing,
  ): Promise<boolean> => {
    const { store, now, writeLetter, answer, trips } = house
    const place = placeOf(ctx, uid)
    const { language } = ctx.state
    const at = seconds(now)
    const labelOf = (id: string) => connectorLabel(house, language, id)
    const acting = { accountId: open.accountId, at, language, where: circumstancesOf(ctx) }
    const take = (tables: Tables) => takeOffer(tables, place, open, at)
    const ports = { writeLetter, labelOf, take, stands, factor }
    const accepted = await acceptOffer(store, acting, open.identity, ports)
    const { connector } = open.identity
    ctx.state.log.info({ connector, outcome: accepted.kind }, 'link offer')
    if (accepted.kind === 'guarded' && login) {
      await keepShown(trips, place, open, { login, stands: () => stands(store) })
      answer.redirect(ctx, factorPath(uid))
      return false
    }
    if (accepted.kind === 'over' || accepted.kind === 'guarded') throw offerOver(uid)
    if (accepted.kind === 'taken') {
      const params = { county: labelOf(connector) }
      throw new Problem(409, 'account.identity-taken', { params, next: [signInAnew(uid)] })
    }
    return true
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
