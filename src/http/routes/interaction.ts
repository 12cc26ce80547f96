/** The routes between an app's request and its answer: read the question, take the person's reply, go on. */
import type Router from '@koa/router'
import { signInName } from '#accounts/local.ts'
import type { Language } from '#config/words.ts'
import { languages } from '#config/words.ts'
import { answerAgree, answerAgreed, answerDisagree } from '#interaction/agreement.ts'
import {
  answerAffiliation,
  answerCancel,
  answerConsent,
  answerLocally,
  answerSameAccount,
  type Reply,
} from '#interaction/answers.ts'
import { type Leaving, leave } from '#interaction/trips.ts'
import { chooseLanguage, type Message } from '#lib/messages.ts'
import { findPastInteraction } from '#oidc/adapter.ts'
import { answerQuestion, findQuestion } from '#oidc/questions.ts'
import { appOf, cspSource, formSources } from '../app-of.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context, State } from '../context.ts'
import { keepCookie } from '../cookies.ts'
import type { House } from '../house.ts'
import { type Fields, readForm, readQuery } from '../input.ts'
import { spendDeparture } from '../middleware/limits.ts'
import { Problem } from '../problem.ts'
import { applicationIn, loginAfterJoining } from './joined.ts'
import {
  afterBarred,
  afterDepartures,
  afterPast,
  afterUpstream,
  afterWaiting,
} from './next-steps.ts'
import { type Asked, openQuestionPages } from './question-pages.ts'
import { openReopening } from './reopening.ts'

export function interactionRoutes(router: Router<State>, house: House): void {
  const { provider, store, config, keys, answer, trips, passwords, now, cookies, metrics } = house
  const { limits, knownDevices } = house
  const { site } = config
  const pages = openQuestionPages(house)
  const reopening = openReopening(house)

  /** The open question of this browser. Throws the page for one that is over, or another browser's. */
  async function readQuestion(ctx: Context): Promise<Asked> {
    const uid = ctx.params.uid ?? ''
    if (ctx.method !== 'GET') ctx.state.pageUrl = `/interaction/${encodeURIComponent(uid)}?choose=1`
    const question = await findQuestion(provider, uid)
    if (!question) throw await pastProblem(ctx, uid)
    // Either cookie was set when the app sent the person here. Two tabs that open at once in a new browser
    // each get a device cookie, of which the last stays; the interaction's own is bound to its address.
    const ours = ctx.cookies.get(cookies.interaction, { signed: true }) === uid
    if (!ours && (question.device === undefined || question.device !== ctx.state.device)) {
      throw new Problem(400, ctx.state.deviceKnown ? 'trip.other-browser' : 'cookies')
    }
    const client = await provider.Client.find(question.clientId)
    if (!client) throw new Problem(400, 'app.unknown')
    const { redirect_uri: redirectUri, ui_locales: uiLocales } = question.params
    if (uiLocales) ctx.state.language = languageOf(ctx, uiLocales)
    const shown = { app: appOf(client, redirectUri), formAction: cspSource(redirectUri) }
    return Object.assign(question, shown)
  }

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

  const languageOf = (ctx: Context, uiLocales: string) =>
    chooseLanguage(
      { query: readQuery(ctx).lang, cookie: ctx.cookies.get(cookies.language), uiLocales },
      languages,
      ctx.state.language,
    ) as Language

  async function pastProblem(ctx: Context, uid: string): Promise<Problem> {
    const past = await findPastInteraction(store.payloads, uid)
    if (!past || past.device !== ctx.state.device) return new Problem(400, 'interaction.expired')
    const client = await provider.Client.find(past.params.client_id ?? '')
    const app = client && appOf(client, past.params.redirect_uri)
    const device = past.params.redirect_uri === undefined
    return afterPast(uid, { finished: past.finished, device }, app)
  }

  async function finish(ctx: Context, question: Asked, reply: Reply, again: Again) {
    switch (reply.kind) {
      case 'again':
        return again(reply.problem, reply)
      case 'held':
        return again(reply.problem, { ...reply, status: 429 })
      case 'barred':
        if (reply.status === 'closed') throw await reopening.offer(ctx, question, reply)
        throw afterBarred(question, reply.status, question.formAction)
      case 'waiting':
        throw afterWaiting(question, question.formAction)
      case 'finish': {
        const url = await answerQuestion(question, reply.answer)
        if (!url) throw await pastProblem(ctx, question.uid)
        if (reply.stands && !(await reply.stands())) {
          await store.payloads.destroyAnswersOf(reply.answer.login?.accountId ?? '')
          throw await pastProblem(ctx, question.uid)
        }
        answer.redirect(ctx, url)
      }
    }
  }
  type Again = (
    problem: Message,
    how: { status?: number; waitSeconds?: number },
  ) => void | Promise<void>
  const cannotBeMended: Again = (problem) => {
    throw new Error(`no page to mend ${JSON.stringify(problem)} on`)
  }

  /** `remember`: she ticked that she wants to stay signed in. */
  async function leaveFor(ctx: Context, question: Asked, id: string, remember = false) {
    const connector = config.connectors.find((one) => one.id === id)
    const county = connector?.label[ctx.state.language] ?? ''
    if (!connector)
      return pages.signIn(ctx, question, { upstreamProblem: 'sign-in.choose-county', remember })
    const sources = formSources(trips.connectors, question.params.redirect_uri)
    const wait = spendDeparture(limits, ctx)
    if (wait > 0) throw afterDepartures(question, wait, sources)
    const device = ctx.state.device ?? ''
    const locales = [ctx.state.language]
    const where = { connector: id, device, locales, remember }
    const leaving: Leaving = await leave(trips, question, where)
    switch (leaving.kind) {
      case 'leave':
        keepCookie(ctx, cookies.county, id)
        return answer.redirect(ctx, leaving.url)
      case 'not-connected':
        return pages.signIn(ctx, question, {
          notice: { key: 'problem.county.not-connected.what', params: { county } },
        })
      case 'failed': {
        ctx.state.log.warn(
          { connector: id, failure: leaving.failure, err: leaving.cause },
          'upstream',
        )
        throw afterUpstream(question, connector, ctx.state.language, leaving.failure, sources)
      }
    }
  }

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
        // Once: a county that did not give what the app insists on would not give it the next time.
        if (upstream && !choose && !question.signedInBefore && trips.connectors.has(upstream)) {
          return leaveFor(ctx, question, upstream)
        }
        return pages.signIn(ctx, question)
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
    const { domain } = site.local_accounts
    const name = signInName(account, domain)
    const source = limits.sourceOf(ctx)
    const from = {
      source: source.name,
      sourceFailures: source.factor * limits.rules.sign_in.failures_per_source_per_minute,
      device: knownDevices.find(ctx, name),
    }
    const where = { ...circumstancesOf(ctx), clientId: question.clientId }
    const { signIn: signInLimits } = limits
    const { password: acr } = site.acr
    const { waitingPassword } = house.enrolments
    const local = { now, passwords, domain, waitingPassword }
    const ports = { ...local, acr, limits: signInLimits, from, where, remember }
    const reply = await answerLocally(store, { account, password }, ports)
    if (reply.kind === 'held') limits.refused(ctx, 'sign-in', reply.because)
    if (reply.kind === 'finish') knownDevices.remember(ctx, name)
    const outcome = reply.kind === 'again' ? 'refused' : reply.kind
    ctx.state.log.info({ way: 'password', outcome, client: question.clientId }, 'sign-in')
    metrics.signIn('password', '', outcome)
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
