/** Somebody new whose address is an account's: the page that asks whether it is hers, and her answers. */
import type Router from '@koa/router'
import { isGuarded } from '#accounts/guarded.ts'
import { findLinkOffer } from '#accounts/link-offer.ts'
import { goOn } from '#interaction/arrival.ts'
import { findOffer, type OpenOffer, stillStands, takeOffer } from '#interaction/link-offers.ts'
import { seconds } from '#lib/time.ts'
import type { Tables } from '#store/store.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { type Fields, readForm, readQuery } from '../input.ts'
import { Problem } from '../problem.ts'
import { type Again, type cannotBeMended, openAsking } from './asking.ts'
import { openDepartures } from './departures.ts'
import { factorPath, offerOver, offerPath, openLinking, placeOf } from './linking.ts'
import { openLocalSignIn } from './local-sign-in.ts'
import { type Asked, openQuestionPages } from './question-pages.ts'
import { openSecondFactor, wayOf } from './second-factor.ts'
import { openArrivals } from './upstream.ts'

/** What came of an answer given elsewhere, by the query that says so. */
const said = new Map([
  ['other-account', 'link-offer.other-account'],
  ['unknown-there', 'link-offer.unknown-there'],
  ['changed', 'link-offer.changed'],
])

export function linkOfferRoutes(router: Router<State>, house: House): void {
  const { store, keys, now, answer, trips } = house
  const pages = openQuestionPages(house)
  const { readQuestion, finish } = openAsking(house)
  const { arrive } = openArrivals(house)
  const depart = openDepartures(house)
  const signInHere = openLocalSignIn(house)
  const link = openLinking(house)
  const secondFactor = openSecondFactor(house)

  router.get('interaction.link', '/interaction/:uid/link', async (ctx: Context) => {
    const question = await readQuestion(ctx)
    const open = await findOffer(trips, placeOf(ctx, question.uid))
    if (!open) throw offerOver(question.uid)
    const problem = said.get(readQuery(ctx).said ?? '')
    pages.linkOffer(ctx, question, open, { problem }, { status: 200 })
  })

  /** An answer counts for the offer it was shown with. */
  const post = (
    action: string,
    handle: (ctx: Context, asked: Asked, open: OpenOffer, fields: Fields) => Promise<void>,
  ) =>
    router.post(`interaction.link.${action}`, `/interaction/:uid/link/${action}`, async (ctx) => {
      const fields = await readForm(ctx, keys.form)
      const question = await readQuestion(ctx)
      const { uid } = question
      ctx.state.pageUrl = offerPath(uid)
      const open = await findOffer(trips, placeOf(ctx, uid))
      if (!open) throw offerOver(uid)
      if (fields.offer !== open.mark) return answer.redirect(ctx, `${offerPath(uid)}?said=changed`)
      await handle(ctx, question, open, fields)
    })

  const goOnAs = async (ctx: Context, question: Asked, open: OpenOffer) => {
    const around = { place: placeOf(ctx, question.uid), circumstances: circumstancesOf(ctx) }
    await arrive(ctx, open.identity.connector, await goOn(trips, question, open, around))
  }

  post('sign-in', async (ctx, question, open, { account = '', password = '' }) => {
    const reply = await signInHere(ctx, question, { account, password }, open.remember)
    const again = (problem: Parameters<typeof cannotBeMended>[0], how = {}) =>
      pages.linkOffer(ctx, question, open, { account, problem }, how)
    if (reply.kind === 'finish') {
      const { answer, stands = async () => true } = reply
      const { login } = answer
      if (login?.accountId !== open.accountId) return again('link-offer.other-account')
      if (!(await link(ctx, question.uid, open, { stands, login }))) return
    }
    await finish(ctx, question, reply, again)
  })

  /** What she showed of the account is kept: her second factor is what it still takes. */
  router.get('interaction.link.factor', '/interaction/:uid/link/second-factor', async (ctx) => {
    const question = await readQuestion(ctx)
    const open = await findOffer(trips, placeOf(ctx, question.uid))
    if (!open) throw offerOver(question.uid)
    // It may have been taken from her account meanwhile: then the page before is all it takes.
    const due = open.shown !== undefined && (await isGuarded(store, open.accountId))
    if (!due) return answer.redirect(ctx, offerPath(question.uid))
    await secondFactor.show(ctx, question, {}, open)
  })

  post('second-factor', async (ctx, question, open, fields) => {
    const { uid } = question
    ctx.state.pageUrl = factorPath(uid)
    const { shown } = open
    if (!shown) return answer.redirect(ctx, offerPath(uid))
    const reply = await secondFactor.prove(ctx, question, shown.login, fields)
    const again: Again = (problem, how) =>
      secondFactor.show(ctx, question, { ...how, way: fields.way ?? '', problem }, open)
    if (reply.kind !== 'finish') return finish(ctx, question, reply, again)
    const stands = (tables: Pick<Tables, 'credentials' | 'identities'>) =>
      stillStands(tables, shown)
    await link(ctx, uid, open, { stands, factor: wayOf(fields) })
    const answered = { ...reply.answer, select_account: {} }
    await finish(
      ctx,
      question,
      { kind: 'finish', answer: answered, stands: () => stands(store) },
      again,
    )
  })

  post('upstream', (ctx, question, open, { connector: county = '' }) => {
    const { remember, mark: offer } = open
    return depart(ctx, question, { county, remember, offer }, (why) =>
      pages.linkOffer(ctx, question, open, why),
    )
  })

  /** Both sides verified the address: her word is enough, as long as that holds. */
  post('word', async (ctx, question, open) => {
    if (open.proof !== 'word') throw new Problem(403, 'forbidden')
    const { identity, accountId } = open
    const stands = async (tables: Tables) => {
      const offer = await findLinkOffer(tables, identity, trips.linkingOf(identity.connector))
      return offer?.proof === 'word' && offer.accountId === accountId
    }
    await link(ctx, question.uid, open, { stands })
    await goOnAs(ctx, question, open)
  })

  /** She has an account of her own from now on, or joins. */
  post('alone', async (ctx, question, open) => {
    const { uid } = question
    const taken = await takeOffer(store, placeOf(ctx, uid), open, seconds(now))
    if (!taken) throw offerOver(uid)
    await goOnAs(ctx, question, open)
  })
}
