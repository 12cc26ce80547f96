/** Trips to a county whose account is to be linked to the member who is signed in. */
import { NotActiveError } from '#account/act.ts'
import { linkIdentity } from '#account/identities.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { type Errand, leaveOn } from '#interaction/trips.ts'
import { seconds } from '#lib/time.ts'
import { circumstancesOf } from '../../circumstances.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { spendDeparture } from '../../middleware/limits.ts'
import { Problem } from '../../problem.ts'
import { renewSession } from '../../renew-session.ts'
import { afterLostErrand } from '../next-steps.ts'
import { connectorLabel } from './labels.ts'
import { type Member, toAccount } from './members.ts'

const path = '/account/identities'
type LinkErrand = Extract<Errand, { kind: 'link' }>

export function openLinkTrips(house: House) {
  const { store, trips, limits, answer, config, now, writeLetter } = house

  /** Off to the county. Undefined when she is on her way; else why there is none to go to. */
  async function begin(ctx: Context, { acting }: Member, id: string): Promise<string | undefined> {
    const connector = config.connectors.find((one) => one.id === id)
    if (!connector) return 'sign-in.choose-county'
    const wait = spendDeparture(limits, ctx)
    if (wait > 0) {
      const params = { seconds: String(wait) }
      const { next } = afterLostErrand('link', path, 'limited.source').options
      throw new Problem(429, 'limited.source', { params, retryAfterSeconds: wait, next })
    }
    const { accountId, sessionUid } = acting
    const leaving = await leaveOn(
      trips,
      { kind: 'link', accountId, sessionUid },
      {
        connector: id,
        device: ctx.state.device ?? '',
        locales: [ctx.state.language],
        // On a shared computer somebody else may be signed in there still.
        fresh: true,
      },
    )
    const params = { county: connector.label[ctx.state.language] }
    switch (leaving.kind) {
      case 'leave':
        answer.redirect(ctx, leaving.url)
        return undefined
      case 'not-connected':
        throw afterLostErrand('link', path, 'county.not-connected', params)
      case 'failed':
        ctx.state.log.warn({ connector: id, failure: leaving.failure, err: leaving.cause }, 'link')
        throw afterLostErrand('link', path, `upstream.${leaving.failure}`, params)
    }
  }

  /** Back with an identity: linked only in the very session she left from, while it is still hers. */
  async function arrive(ctx: Context, errand: LinkErrand, identity: UpstreamIdentity) {
    const session = await house.provider.Session.get(ctx as never)
    const { accountId } = errand
    if (session.uid !== errand.sessionUid || session.accountId !== accountId) throw over()
    const language = ctx.state.language
    const labelOf = (id: string) => connectorLabel(house, language, id)
    const acting = { accountId, at: seconds(now), language, where: circumstancesOf(ctx) }
    const linked = await linkIdentity(store, acting, identity, { writeLetter, labelOf }).catch(
      (error: unknown) => {
        throw error instanceof NotActiveError ? over() : error
      },
    )
    if (linked.kind === 'taken') {
      const params = { county: labelOf(identity.connector) }
      throw afterLostErrand('link', path, 'account.identity-taken', params)
    }
    // Another way in is another session (OWASP ASVS 7.2.4).
    if (linked.kind === 'linked') await renewSession(house, ctx)
    answer.redirect(ctx, `${path}?done=${linked.kind}`)
  }

  return { begin, arrive }
}

const over = () =>
  new Problem(409, 'account.link-over', {
    next: [{ ...toAccount, href: path, labelKey: 'next.back', primary: true }, toAccount],
  })
