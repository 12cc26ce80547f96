/** Off to a county, to sign in there for a question. */
import { type Leaving, leave } from '#interaction/trips.ts'
import type { Message } from '#lib/messages.ts'
import { formSources } from '../app-of.ts'
import type { Context } from '../context.ts'
import { keepCookie } from '../cookies.ts'
import type { House } from '../house.ts'
import { spendDeparture } from '../middleware/limits.ts'
import { afterDepartures, afterUpstream } from './next-steps.ts'
import type { Asked } from './question-pages.ts'
import { awayKey, troubleOf } from './upstream-words.ts'

type Wish = {
  /** The county's id, as it was sent. */
  county: string
  /** She ticked that she wants to stay signed in. */
  remember: boolean
  /** The link offer she is to answer by it. */
  offer?: string
}

/** Shows the page she chose on: `problem` where she has to choose, `notice` where she cannot go there. */
type Stay = (why: { upstreamProblem: Message } | { notice: Message }) => void | Promise<void>

export const openDepartures =
  (house: House) =>
  async (ctx: Context, question: Asked, { county: id, ...wish }: Wish, stay: Stay) => {
    const { config, trips, limits, cookies, answer } = house
    const connector = config.connectors.find((one) => one.id === id)
    const county = connector?.label[ctx.state.language] ?? ''
    if (!connector) return stay({ upstreamProblem: 'sign-in.choose-county' })
    const sources = formSources(trips.connectors, question.params.redirect_uri)
    const wait = spendDeparture(limits, ctx)
    if (wait > 0) throw afterDepartures(question, wait, sources)
    const device = ctx.state.device ?? ''
    const locales = [ctx.state.language]
    const leaving: Leaving = await leave(trips, question, {
      connector: id,
      device,
      locales,
      ...wish,
    })
    switch (leaving.kind) {
      case 'leave':
        keepCookie(ctx, cookies.county, id)
        return answer.redirect(ctx, leaving.url)
      case 'not-connected':
        return stay({ notice: { key: `problem.${awayKey(house, id)}.what`, params: { county } } })
      case 'failed': {
        ctx.state.log.warn(
          { connector: id, failure: leaving.failure, err: leaving.cause },
          'upstream',
        )
        const { failure } = leaving
        const trouble = troubleOf(house, ctx.state.language, connector, failure)
        throw afterUpstream(question, connector, failure, trouble, sources)
      }
    }
  }
