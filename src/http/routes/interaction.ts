/** The routes between an app's request and its answer: read the question, take the person's reply, go on. */
import type Router from '@koa/router'
import { answerAgree, answerAgreed, answerDisagree } from '#interaction/agreement.ts'
import {
  answerAffiliation,
  answerCancel,
  answerConsent,
  answerSameAccount,
  type Reply,
} from '#interaction/answers.ts'
import { findPastInteraction } from '#oidc/adapter.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { type Fields, readForm, readQuery } from '../input.ts'
import { Problem } from '../problem.ts'
import { acceptedIn, loginAfterAccepting } from './accepted.ts'
import { cannotBeMended, openAsking } from './asking.ts'
import { openDepartures } from './departures.ts'
import { applicationIn, loginAfterJoining } from './joined.ts'
import { openLocalSignIn } from './local-sign-in.ts'
import { afterBarred, afterPast } from './next-steps.ts'
import { type Asked, openQuestionPages } from './question-pages.ts'
import { openReopening } from './reopening.ts'
import { openSecondFactor } from './second-factor.ts'

export function interactionRoutes(router: Router<State>, house: House): void {
  const { provider, store, config, keys, answer, trips, now } = house
  const { site } = config
  const pages = openQuestionPages(house)
  const reopening = openReopening(house)
  const { readQuestion, finish } = openAsking(house)
  const depart = openDepartures(house)
  const signInHere = openLocalSignIn(house)
  const secondFactor = openSecondFactor(house)

  /** Who is named on the page is who is signed in: after a sign-out in another tab nobody answers for her. */
  async function requireSamePerson(ctx: Context, question: Asked) {
    const { accountId, uid, app } = question
    const session = await provider.Session.get(ctx as never)
    const account = accountId ? await store.accounts.find(accountId) : undefined
    if (!account || session.accountId !== accountId)
      throw afterPast(uid, { finished: false, device: !question.params.redirect_uri }, app)
    if (account.status !== 'active')
      throw afterBarred(question, account.status, question.formAction)
  }

  /** `remember`: she ticked that she wants to stay signed in. */
  const leaveFor = (ctx: Context, question: Asked, county: string, remember = false) =>
    depart(ctx, question, { county, remember }, (why) =>
      pages.signIn(ctx, question, 'notice' in why ? why : { ...why, remember }),
    )

  /** GET shows what the question asks for; `?as=` shows another page of the same question. */
  router.get('interaction', '/interaction/:uid', async (ctx) => {
    const question = await readQuestion(ctx)
    const { as, choose } = readQuery(ctx)
    const upstream = question.params.upstream
    switch (question.prompt.name) {
      case 'login': {
        const joined = applicationIn(question.params.login_hint)
        const login = joined ? await loginAfterJoining(house, ctx, joined) : undefined
        if (login) {
          const answer = { login, select_account: {} }
          return finish(ctx, question, { kind: 'finish', answer }, cannotBeMended)
        }
        const invited = acceptedIn(question.params.login_hint)
        const accepted = invited ? await loginAfterAccepting(house, ctx, invited) : undefined
        if (accepted) return finish(ctx, question, accepted, cannotBeMended)
        // Once: a county that did not give what the app insists on would not give it the next time.
        if (upstream && !choose && !question.signedInBefore && trips.connectors.has(upstream)) {
          return leaveFor(ctx, question, upstream)
        }
        return pages.signIn(ctx, question)
      }
      case 'second_factor': {
        await requireSamePerson(ctx, question)
        const accepted = await secondFactor.justAccepted(ctx, question)
        if (accepted) return finish(ctx, question, accepted, cannotBeMended)
        return secondFactor.show(ctx, question)
      }
      case 'agreement': {
        await requireSamePerson(ctx, question)
        const due = await pages.dueTerms(question)
        if (!due) return finish(ctx, question, answerAgreed(), cannotBeMended)
        return pages.agreement(ctx, question, due)
      }
      case 'select_account':
        if (as === 'another') return pages.signIn(ctx, question)
        await requireSamePerson(ctx, question)
        if (as === 'affiliation') return pages.affiliation(ctx, question)
        return pages.account(ctx, question)
      case 'affiliation':
        await requireSamePerson(ctx, question)
        return pages.affiliation(ctx, question)
      case 'consent':
        await requireSamePerson(ctx, question)
        return pages.consent(ctx, question)
      default:
        throw new Error(`no page for prompt ${question.prompt.name}`)
    }
  })

  const post = (
    name: string,
    action: string,
    handle: (ctx: Context, question: Asked, fields: Fields) => Promise<void> | void,
  ) =>
    router.post(`interaction.${name}`, `/interaction/:uid/${action}`, async (ctx) => {
      const fields = await readForm(ctx, keys.form)
      const question = await readQuestion(ctx)
      await handle(ctx, question, fields)
    })

  /** The box on both forms. Where it is not offered, nobody ticked it. */
  const ticked = ({ remember }: Fields) => site.session.remember && remember === 'yes'

  post('sign-in', 'sign-in', async (ctx, question, fields) => {
    const { account = '', password = '' } = fields
    const remember = ticked(fields)
    const reply = await signInHere(ctx, question, { account, password }, remember)
    await finish(ctx, question, reply, (problem, how) =>
      pages.signIn(ctx, question, { account, problem, remember }, how),
    )
  })

  post('upstream', 'upstream', (ctx, question, fields) =>
    leaveFor(ctx, question, fields.connector ?? '', ticked(fields)),
  )

  post('upstream-again', 'upstream/:connector', (ctx, question) =>
    leaveFor(ctx, question, ctx.params.connector ?? ''),
  )

  post('account', 'account', async (ctx, question) => {
    await requireSamePerson(ctx, question)
    await finish(ctx, question, answerSameAccount(), cannotBeMended)
  })

  post('second-factor', 'second-factor', async (ctx, question, fields) => {
    if (question.prompt.name !== 'second_factor') throw new Problem(400, 'forbidden')
    await requireSamePerson(ctx, question)
    const reply = await secondFactor.reply(ctx, question, fields)
    await finish(ctx, question, reply, (problem, how) =>
      secondFactor.show(ctx, question, { ...how, way: fields.way ?? '', problem }),
    )
  })

  post('agreement', 'agreement', async (ctx, question, { decision, hash = '', agree }) => {
    if (question.prompt.name !== 'agreement') throw new Problem(400, 'forbidden')
    await requireSamePerson(ctx, question)
    const due = await pages.dueTerms(question)
    if (!due) return finish(ctx, question, answerAgreed(), cannotBeMended)
    const ports = { now, where: circumstancesOf(ctx) }
    const reply =
      decision === 'agree'
        ? await answerAgree(store, question, due.due, { hash, ticked: agree === 'yes' }, ports)
        : await answerDisagree(store, question, due.due, ports)
    await finish(ctx, question, reply, (problem) => pages.agreement(ctx, question, due, problem))
  })

  post('affiliation', 'affiliation', async (ctx, question, { affiliation }) => {
    await requireSamePerson(ctx, question)
    const reply = await answerAffiliation(store, question, affiliation, {
      now,
      where: circumstancesOf(ctx),
      year: house.schoolYear,
    })
    await finish(ctx, question, reply, (problem) => pages.affiliation(ctx, question, problem))
  })

  post('consent', 'consent', async (ctx, question, { decision }) => {
    if (question.prompt.name !== 'consent') throw new Problem(400, 'forbidden')
    await requireSamePerson(ctx, question)
    const allowed = decision === 'allow'
    const where = circumstancesOf(ctx)
    const reply = allowed ? await answerConsent(store, question, { now, where }) : answerCancel()
    ctx.state.log.info(
      { client: question.clientId, outcome: allowed ? 'allowed' : 'denied' },
      'consent',
    )
    await finish(ctx, question, reply, cannotBeMended)
  })

  post('reopen', 'reopen', async (ctx, question, fields) => {
    const answered = await reopening.accept(ctx, question, fields)
    const reply: Reply = { kind: 'finish', answer: answered }
    await finish(ctx, question, reply, cannotBeMended)
  })

  post('cancel', 'cancel', (ctx, question) => finish(ctx, question, answerCancel(), cannotBeMended))

  /** An expired question is asked anew: the app still waits for its answer. */
  router.get('interaction.start-again', '/interaction/:uid/start-again', async (ctx) => {
    const past = await findPastInteraction(store.payloads, ctx.params.uid ?? '')
    if (!past || past.finished || past.device !== ctx.state.device) {
      throw new Problem(400, 'interaction.expired')
    }
    answer.redirect(ctx, `/auth?${new URLSearchParams(past.params)}`)
  })
}
