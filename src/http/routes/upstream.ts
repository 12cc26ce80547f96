/** Where people come back from their county, whatever they were sent for. */
import type Router from '@koa/router'
import { callbackPath } from '#federation/own-addresses.ts'
import { type Coming, comeBack, type Errand, park, type Return } from '#interaction/trips.ts'
import { answerQuestion, findQuestion } from '#oidc/questions.ts'
import type { Tables } from '#store/store.ts'
import { appOf, formSources } from '../app-of.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { readBody } from '../input.ts'
import { Problem } from '../problem.ts'
import { openLinkTrips } from './account/link-trips.ts'
import { openTestTrips, testPath } from './admin/upstream-tests.ts'
import { joiningPath } from './joining-tools.ts'
import { openJoiningTrips } from './joining-trips.ts'
import { offerPath, openLinking } from './linking.ts'
import {
  afterBarred,
  afterLostErrand,
  afterLostTrip,
  afterReused,
  afterUpstream,
} from './next-steps.ts'
import { openReopening } from './reopening.ts'
import { awayKey, troubleOf } from './upstream-words.ts'

/** Where a person was when she left: it shows what became of it. */
export const originOf = (errand: Errand | undefined): string => {
  switch (errand?.kind) {
    case 'sign-in':
      return `/interaction/${errand.uid}?choose=1`
    case 'join':
      return joiningPath(errand.application, errand.step)
    case 'link':
      return errand.merge ? '/account/merge' : '/account/identities'
    case 'test':
      return testPath(errand.connector)
    case undefined:
      return '/'
  }
}

const errandOf = (back: Return): Errand | undefined => {
  if ('errand' in back) return back.errand
  return 'uid' in back ? { kind: 'sign-in', uid: back.uid } : undefined
}

/** What becomes of somebody who is back from an upstream, whichever way her answer came. */
export function openArrivals(house: House) {
  const { provider, config, answer, trips, metrics } = house
  const joining = openJoiningTrips(house)
  const linking = openLinkTrips(house)
  const reopening = openReopening(house)
  const link = openLinking(house)
  const testing = openTestTrips(house)

  /** The app behind a question that is still open, for the steps back to it. */
  async function openFor(errand: Errand | undefined) {
    if (errand?.kind !== 'sign-in') return undefined
    const question = await findQuestion(provider, errand.uid)
    const client = question && (await provider.Client.find(question.clientId))
    if (!question || !client) return undefined
    const redirectUri = question.params.redirect_uri
    return {
      uid: errand.uid,
      clientId: question.clientId,
      app: appOf(client, { redirectUri }),
      formAction: formSources(trips.connectors, redirectUri),
    }
  }

  /** What every arrival says of the browser it came in. */
  const comingOf = (ctx: Context, id: string, { url, state }: Pick<Coming, 'url' | 'state'>) => ({
    connector: id,
    url,
    state,
    device: ctx.state.deviceKnown ? ctx.state.device : undefined,
    circumstances: circumstancesOf(ctx),
  })

  async function arrive(ctx: Context, id: string, back: Return) {
    const connector = config.connectors.find((one) => one.id === id)
    const { deviceKnown, log, language } = ctx.state
    const errand = errandOf(back)

    // A callback is good once: its page in another language is where she came from.
    ctx.state.pageUrl = originOf(errand)
    if (errand?.kind === 'test') return testing.arrive(ctx, errand, back)
    const line = { way: 'upstream', connector: id, errand: errand?.kind, outcome: back.kind }
    metrics.signIn('upstream', id, back.kind)
    switch (back.kind) {
      case 'finish': {
        log.info({ ...line, created: back.created }, 'sign-in')
        const resume = await answerQuestion(back.question, back.answer)
        if (!resume) throw new Problem(400, 'interaction.expired')
        return answer.redirect(ctx, resume)
      }
      case 'newcomer':
        log.info(line, 'sign-in')
        return joining.welcome(ctx, back)
      case 'offer': {
        log.info({ ...line, said: back.said }, 'sign-in')
        const query = back.said ? `?said=${back.said}` : ''
        return answer.redirect(ctx, `${offerPath(back.uid)}${query}`)
      }
      case 'link': {
        log.info(line, 'sign-in')
        const { login, offer } = back
        // What shows that the account is hers may have been taken from it just now.
        const stands = async ({ identities }: Tables) => {
          const { issuer = '', subject = '' } = login.upstream ?? {}
          return (await identities.find(issuer, subject))?.account.id === offer.accountId
        }
        if (!(await link(ctx, back.uid, offer, { stands, login }))) return
        const answered = { login, select_account: {} }
        const resume = await answerQuestion(back.question, answered)
        if (!resume) throw new Problem(400, 'interaction.expired')
        return answer.redirect(ctx, resume)
      }
      case 'brought':
        log.info(line, 'sign-in')
        if (back.errand.kind === 'join') return joining.arrive(ctx, back.errand, back.identity)
        return linking.arrive(ctx, back.errand, back.identity)
      case 'lost': {
        log.info({ ...line, why: back.why }, 'sign-in')
        const open = await openFor(errand)
        if (back.why === 'other-browser' && !deviceKnown) throw new Problem(400, 'cookies')
        if (open) throw afterLostTrip(open, back.why, open.formAction)
        if (!errand || errand.kind === 'sign-in') throw new Problem(400, `trip.${back.why}`)
        throw afterLostErrand(errand.kind, originOf(errand), `trip.${back.why}`)
      }
      case 'tested':
        throw new Error('the answer to a test is for its maker only')
      case 'interaction-over':
        log.info(line, 'sign-in')
        // Its page knows what became of the app's request.
        return answer.redirect(ctx, `/interaction/${back.uid}`)
      case 'not-connected':
      case 'failed':
      case 'reused':
      case 'barred': {
        const open = await openFor(errand)
        if (!connector) throw new Problem(400, 'interaction.expired')
        if (back.kind === 'failed')
          log.warn({ ...line, failure: back.failure, err: back.cause }, 'sign-in')
        else log.info(line, 'sign-in')
        const params = { county: connector.label[language] }
        if (!open) {
          if (!errand || errand.kind === 'sign-in') throw new Problem(400, 'interaction.expired')
          const origin = originOf(errand)
          if (back.kind !== 'failed')
            throw afterLostErrand(errand.kind, origin, awayKey(house, id), params)
          const trouble = troubleOf(house, language, connector, back.failure)
          throw afterLostErrand(errand.kind, origin, trouble.key, trouble.params, trouble)
        }
        if (back.kind === 'reused') throw afterReused(open, params.county, open.formAction)
        if (back.kind === 'barred' && back.status === 'closed')
          throw await reopening.offer(ctx, open, { login: back.login, connector: id })
        if (back.kind === 'barred') throw afterBarred(open, back.status, open.formAction)
        if (back.kind === 'failed') {
          const trouble = troubleOf(house, language, connector, back.failure)
          throw afterUpstream(open, connector, back.failure, trouble, open.formAction)
        }
        throw new Problem(400, awayKey(house, id), {
          ...afterLostTrip(open, 'used', open.formAction).options,
          params,
        })
      }
    }
  }

  return { openFor, comingOf, arrive }
}

export function upstreamRoutes(router: Router<State>, house: House): void {
  const { config, answer, trips } = house
  const { comingOf, arrive } = openArrivals(house)

  /** The callback's address from configuration with the query it came with. */
  function calledBack(ctx: Context, id: string): URL {
    const url = new URL(`${config.issuer}${callbackPath(encodeURIComponent(id))}`)
    url.search = ctx.search
    return url
  }

  /**
   * A form from the upstream's own page: a SAML response, a long OpenID 2.0 answer. Our cookies do not travel with it
   * (SameSite=Lax); they do with the GET it is turned into, and the trip keeps the form meanwhile.
   */
  router.post('upstream.callback as a form', callbackPath(':connector'), async (ctx: Context) => {
    const id = ctx.params.connector ?? ''
    const form = await readBody(ctx, '256kb')
    const state = new URLSearchParams(ctx.search).get('state') ?? form.get('RelayState')
    const url = calledBack(ctx, id)
    if (state) {
      await park(trips, { connector: id, state, form })
      url.searchParams.set('state', state)
    }
    answer.redirect(ctx, `${url.pathname}${url.search}`)
  })

  router.get('upstream.callback', callbackPath(':connector'), async (ctx: Context) => {
    const id = ctx.params.connector ?? ''
    const url = calledBack(ctx, id)
    const state = url.searchParams.get('state') ?? undefined
    await arrive(ctx, id, await comeBack(trips, comingOf(ctx, id, { url, state })))
  })
}
