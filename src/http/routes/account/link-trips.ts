/** Trips to a county whose account is to be linked to the member who is signed in, or shows another one to be hers. */
import { NotActiveError } from '#account/act.ts'
import { linkIdentity } from '#account/identities.ts'
import { proveByIdentity } from '#account/merge-proof.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { type Errand, leaveOn } from '#interaction/trips.ts'
import { seconds } from '#lib/time.ts'
import { circumstancesOf } from '../../circumstances.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { spendDeparture } from '../../middleware/limits.ts'
import { type NextStep, Problem } from '../../problem.ts'
import { renewSession } from '../../renew-session.ts'
import { afterLostErrand } from '../next-steps.ts'
import { awayKey, type Trouble, troubleOf } from '../upstream-words.ts'
import { connectorLabel } from './labels.ts'
import { type Member, toAccount } from './members.ts'

/** Where she sets out, and hears what became of it. */
const pathOf = ({ merge }: Pick<LinkErrand, 'merge'>) =>
  merge ? '/account/merge' : '/account/identities'
type LinkErrand = Extract<Errand, { kind: 'link' }>

export function openLinkTrips(house: House) {
  const { store, trips, limits, answer, config, keys, now, writeLetter } = house

  /** Off to the county. Undefined when she is on her way; else why there is none to go to. */
  async function begin(
    ctx: Context,
    { acting }: Member,
    id: string,
    wants: Pick<LinkErrand, 'merge'> = {},
  ): Promise<string | undefined> {
    const path = pathOf(wants)
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
      { kind: 'link', accountId, sessionUid, ...wants },
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
        throw afterLostErrand('link', path, awayKey(house, id), params)
      case 'failed':
        ctx.state.log.warn({ connector: id, failure: leaving.failure, err: leaving.cause }, 'link')
        throw failedTrip(path, troubleOf(house, ctx.state.language, connector, leaving.failure))
    }
  }

  /** Back with an identity: it counts only in the very session she left from, while it is still hers. */
  async function arrive(ctx: Context, errand: LinkErrand, identity: UpstreamIdentity) {
    const session = await house.provider.Session.get(ctx as never)
    const { accountId, sessionUid } = errand
    const path = pathOf(errand)
    if (session.uid !== sessionUid || session.accountId !== accountId) throw over(path)
    const language = ctx.state.language
    const labelOf = (id: string) => connectorLabel(house, language, id)
    const where = circumstancesOf(ctx)
    // What is linked stays linked: a session somebody left there on a shared computer is not enough.
    if (identity.authTime !== undefined && identity.authTime < seconds(now) - trips.tripSeconds) {
      const params = { county: labelOf(identity.connector) }
      throw afterLostErrand('link', path, 'account.county-not-fresh', params)
    }
    const acting = { accountId, sessionUid, at: seconds(now), language, where }
    const orOver = (error: unknown) => {
      throw error instanceof NotActiveError ? over(path) : error
    }
    const prove = () => {
      const here = { ...acting, device: ctx.state.device ?? '' }
      const ports = { dataKey: keys.data, staff: trips.staff }
      return proveByIdentity(store, here, identity, ports).catch(orOver)
    }
    if (errand.merge) {
      const { kind } = await prove()
      return answer.redirect(
        ctx,
        kind === 'proved' ? `${path}/confirm` : `${path}?done=merge-${kind}`,
      )
    }
    const ports = { writeLetter, labelOf }
    const linked = await linkIdentity(store, acting, identity, ports).catch(orOver)
    if (linked.kind === 'taken') {
      const params = { county: labelOf(identity.connector) }
      // She is back from there just now: if the account it signs in to is hers, both can be one.
      const { kind } = await prove()
      throw kind === 'proved'
        ? bothHers(params)
        : afterLostErrand('link', path, 'account.identity-taken', params)
    }
    // Another way in is another session (OWASP ASVS 7.2.4).
    if (linked.kind === 'linked') await renewSession(house, ctx)
    answer.redirect(ctx, `${path}?done=${linked.kind}`)
  }

  return { begin, arrive }
}

/** What she came with signs in to another account, and she may say that it is hers too. */
const bothHers = (params: Record<string, string>) => {
  const back = afterLostErrand('link', pathOf({}), 'account.identity-both', params)
  const [first, ...others] = back.options.next ?? []
  const join: NextStep = {
    id: 'merge',
    kind: 'link',
    href: '/account/merge/confirm',
    labelKey: 'next.merge',
    primary: true,
  }
  const next = first ? [join, { ...first, primary: false }, ...others] : [join]
  return new Problem(400, 'account.identity-both', { ...back.options, next })
}

const failedTrip = (path: string, trouble: Trouble) =>
  afterLostErrand('link', path, trouble.key, trouble.params, trouble)

const over = (path: string) =>
  new Problem(409, 'account.link-over', {
    next: [{ ...toAccount, href: path, labelKey: 'next.back', primary: true }, toAccount],
  })
