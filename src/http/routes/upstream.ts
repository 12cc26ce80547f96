/** Where people come back from their county. */
import type Router from '@koa/router'
import { comeBack } from '#interaction/trips.ts'
import { answerQuestion, findQuestion } from '#oidc/questions.ts'
import { appOf, formSources } from '../app-of.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { Problem } from '../problem.ts'
import { afterBarred, afterLostTrip, afterUpstream } from './next-steps.ts'

/** The path of a connector's callback. */
export const callbackPath = (connector: string) => `/upstream/${connector}/callback`

export function upstreamRoutes(router: Router<State>, house: House): void {
  const { provider, config, answer, trips, metrics } = house

  /** The app behind a question that is still open, for the steps back to it. */
  async function openFor(uid: string) {
    const question = await findQuestion(provider, uid)
    const client = question && (await provider.Client.find(question.clientId))
    if (!question || !client) return undefined
    const redirectUri = question.params.redirect_uri
    return {
      uid,
      app: appOf(client, redirectUri),
      formAction: formSources(trips.connectors, redirectUri),
    }
  }

  router.get('upstream.callback', callbackPath(':connector'), async (ctx: Context) => {
    const id = ctx.params.connector ?? ''
    const connector = config.connectors.find((one) => one.id === id)
    const url = new URL(`${config.issuer}${callbackPath(encodeURIComponent(id))}`)
    url.search = ctx.search
    const { device, deviceKnown, log, language } = ctx.state
    const back = await comeBack(trips, {
      connector: id,
      url,
      device: deviceKnown ? device : undefined,
      circumstances: circumstancesOf(ctx),
    })

    // A callback is good once: its page in another language is the question it came from.
    ctx.state.pageUrl = 'uid' in back && back.uid ? `/interaction/${back.uid}?choose=1` : '/'
    const line = { way: 'upstream', connector: id, outcome: back.kind }
    metrics.signIn('upstream', id, back.kind)
    switch (back.kind) {
      case 'finish': {
        log.info({ ...line, created: back.created }, 'sign-in')
        const resume = await answerQuestion(back.question, back.answer)
        if (!resume) throw new Problem(400, 'interaction.expired')
        return answer.redirect(ctx, resume)
      }
      case 'lost': {
        log.info({ ...line, why: back.why }, 'sign-in')
        const open = back.uid === undefined ? undefined : await openFor(back.uid)
        if (back.why === 'other-browser' && !deviceKnown) throw new Problem(400, 'cookies')
        if (!open) throw new Problem(400, `trip.${back.why}`)
        throw afterLostTrip(open, back.why, open.formAction)
      }
      case 'interaction-over':
        log.info(line, 'sign-in')
        // Its page knows what became of the app's request.
        return answer.redirect(ctx, `/interaction/${back.uid}`)
      case 'not-connected':
      case 'failed':
      case 'barred': {
        const open = await openFor(back.uid)
        if (!open || !connector) throw new Problem(400, 'interaction.expired')
        if (back.kind === 'barred') {
          log.info(line, 'sign-in')
          throw afterBarred(open, back.status, open.formAction)
        }
        if (back.kind === 'not-connected') {
          const params = { county: connector.label[language] }
          throw new Problem(400, 'county.not-connected', {
            ...afterLostTrip(open, 'used', open.formAction).options,
            params,
          })
        }
        log.warn({ ...line, failure: back.failure, err: back.cause }, 'sign-in')
        throw afterUpstream(open, connector, language, back.failure, open.formAction)
      }
    }
  })
}
