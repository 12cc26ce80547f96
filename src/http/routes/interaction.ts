/** The pages between an app's request and its answer. */
import type Router from '@koa/router'
import { affiliationsToward, listAffiliations } from '#accounts/affiliations.ts'
import type { Language } from '#config/schema.ts'
import { languages } from '#config/schema.ts'
import {
  answerAffiliation,
  answerCancel,
  answerConsent,
  answerLocally,
  answerSameAccount,
  type Reply,
  wantedGrant,
} from '#interaction/answers.ts'
import type { Question } from '#interaction/question.ts'
import { type Leaving, leave } from '#interaction/trips.ts'
import { chooseLanguage } from '#lib/messages.ts'
import { findPastInteraction } from '#oidc/adapter.ts'
import { scopeClaims } from '#oidc/claims.ts'
import { answerQuestion, findQuestion } from '#oidc/questions.ts'
import { type App, appOf, cspSource } from '../app-of.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { type Fields, formToken, readForm, readQuery } from '../input.ts'
import { Problem } from '../problem.ts'
import type { Views } from '../render.ts'
import { affiliationLabel } from './labels.ts'
import { afterBarred, afterPast, afterUpstream } from './next-steps.ts'

type Asked = Question & { app: App; formAction: string[] }

export function interactionRoutes(router: Router<State>, house: House): void {
  const { provider, store, config, keys, answer, trips, passwords, now, cookies } = house
  const { site } = config

  /** The open question of this browser. Throws the page for one that is over, or another browser's. */
  async function readQuestion(ctx: Context): Promise<Asked> {
    const uid = ctx.params.uid ?? ''
    if (ctx.method !== 'GET') ctx.state.pageUrl = `/interaction/${encodeURIComponent(uid)}`
    const question = await findQuestion(provider, uid)
    if (!question) throw await pastProblem(ctx, uid)
    if (question.device !== ctx.state.device) {
      // The cookie was set when the app sent the person here: without it, this browser keeps none.
      throw new Problem(400, ctx.state.deviceKnown ? 'trip.other-browser' : 'cookies')
    }
    const client = await provider.Client.find(question.clientId)
    if (!client) throw new Problem(400, 'app.unknown')
    const { redirect_uri: redirectUri, ui_locales: uiLocales } = question.params
    if (uiLocales) ctx.state.language = languageOf(ctx, uiLocales)
    return { ...question, app: appOf(client, redirectUri), formAction: cspSource(redirectUri) }
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
    return afterPast(uid, past.finished, app)
  }

  async function finish(ctx: Context, question: Asked, reply: Reply, again: Again) {
    switch (reply.kind) {
      case 'again':
        return again(reply.problem)
      case 'barred':
        throw afterBarred(question, reply.status)
      case 'finish': {
        const url = await answerQuestion(provider, question.uid, reply.answer)
        if (!url) throw await pastProblem(ctx, question.uid)
        answer.redirect(ctx, url)
      }
    }
  }
  type Again = (problem: string) => void | Promise<void>
  const cannotBeMended: Again = (problem) => {
    throw new Error(`no page to mend ${problem} on`)
  }

  const path = ({ uid }: Question, action: string) => `/interaction/${uid}/${action}`
  const tokenOf = (ctx: Context) => formToken(keys.form, ctx.state.device ?? '')

  function signInPage(ctx: Context, question: Asked, more: Partial<Views['sign-in']> = {}) {
    const lang = ctx.state.language
    const upstreams = [...trips.connectors.values()].flatMap(({ origins }) => origins)
    const hint = question.params.login_hint?.slice(0, 200)
    answer.page(ctx, {
      view: 'sign-in',
      status: more.problem || more.upstreamProblem ? 422 : 200,
      formAction: [...question.formAction, ...upstreams],
      locals: {
        uid: question.uid,
        app: question.app,
        formToken: tokenOf(ctx),
        account: hint ?? '',
        connectors: config.connectors.map((connector) => ({
          id: connector.id,
          label: connector.label[lang],
          keywords: [...Object.values(connector.label), ...connector.keywords],
          connected: trips.connectors.has(connector.id),
        })),
        chosen: ctx.cookies.get(cookies.county),
        actions: {
          local: path(question, 'sign-in'),
          upstream: path(question, 'upstream'),
          cancel: path(question, 'cancel'),
        },
        ...more,
      },
    })
  }

  async function accountPage(ctx: Context, question: Asked) {
    const { accountId, clientId } = question
    const account = accountId ? await store.accounts.find(accountId) : undefined
    if (!accountId || account?.status !== 'active') return signInPage(ctx, question)
    const list = await affiliationsToward(store, accountId, clientId)
    const [acting] = list
    answer.page(ctx, {
      view: 'choose-account',
      formAction: question.formAction,
      locals: {
        app: question.app,
        account: {
          name: account.profile.name?.value ?? account.profile.preferred_username?.value ?? '',
          detail: account.profile.preferred_username?.value ?? account.profile.email?.value ?? '',
        },
        affiliation: acting && { label: affiliationLabel(house, ctx.state.language, acting) },
        canChangeAffiliation: list.length > 1,
        formToken: tokenOf(ctx),
        actions: {
          continue: path(question, 'account'),
          another: `/interaction/${question.uid}?as=another`,
          affiliation: `/interaction/${question.uid}?as=affiliation`,
        },
      },
    })
  }

  async function affiliationPage(ctx: Context, question: Asked, problem?: string) {
    const { accountId, clientId, uid } = question
    if (!accountId) return signInPage(ctx, question)
    const [list, chosen] = await Promise.all([
      listAffiliations(store, accountId),
      store.affiliationChoices.find(accountId, clientId),
    ])
    answer.page(ctx, {
      view: 'choose-affiliation',
      status: problem ? 422 : 200,
      formAction: question.formAction,
      locals: {
        app: question.app,
        affiliations: list.map((one) => ({
          key: one.key,
          school: one.schoolName ?? one.schoolCode,
          roleKey: `role.${one.role}`,
          titles: one.titles,
        })),
        chosen,
        problem,
        formToken: tokenOf(ctx),
        action: `/interaction/${uid}/affiliation`,
      },
    })
  }

  async function consentPage(ctx: Context, question: Asked) {
    const lang = ctx.state.language
    const account = question.accountId ? await store.accounts.find(question.accountId) : undefined
    // Asked again although nothing is missing (an installed app, prompt=consent): all of it is shown again.
    const missing = wantedGrant(question)
    const asked = (question.params.scope ?? '').split(' ').filter((scope) => scope in scopeClaims)
    const wanted = missing.scopes.length > 0 ? missing : { ...missing, scopes: asked }
    answer.page(ctx, {
      view: 'consent',
      formAction: question.formAction,
      locals: {
        app: question.app,
        account: { name: account?.profile.name?.value ?? '' },
        scopes: wanted.scopes
          .filter((scope) => scope !== 'openid' && scope !== 'offline_access')
          .map((scope) => ({
            scope,
            titleKey: `scope.${scope}.title`,
            detailKey: `scope.${scope}.detail`,
          })),
        claims: wanted.claims,
        resources: Object.entries(wanted.resources).map(([id, scopes]) => {
          const resource = site.resources.find((one) => one.id === id)
          const label = (scope: string) =>
            resource?.scopes.find((one) => one.scope === scope)?.label[lang] ?? scope
          return {
            id,
            label: resource?.label[lang] ?? id,
            scopes: scopes.map((scope) => ({ scope, label: label(scope) })),
          }
        }),
        offline: wanted.scopes.includes('offline_access'),
        formToken: tokenOf(ctx),
        actions: { allow: path(question, 'consent'), deny: path(question, 'consent') },
      },
    })
  }

  async function leaveFor(ctx: Context, question: Asked, id: string) {
    const connector = config.connectors.find((one) => one.id === id)
    const county = connector?.label[ctx.state.language] ?? ''
    if (!connector) return signInPage(ctx, question, { upstreamProblem: 'sign-in.choose-county' })
    const device = ctx.state.device ?? ''
    const locales = [ctx.state.language]
    const leaving: Leaving = await leave(trips, question, { connector: id, device, locales })
    switch (leaving.kind) {
      case 'leave':
        rememberCounty(ctx, id)
        return answer.redirect(ctx, leaving.url)
      case 'not-connected':
        return signInPage(ctx, question, {
          notice: { key: 'problem.county.not-connected.what', params: { county } },
        })
      case 'failed': {
        ctx.state.log.warn(
          { connector: id, failure: leaving.failure, err: leaving.cause },
          'upstream',
        )
        throw afterUpstream(
          question,
          connector,
          ctx.state.language,
          leaving.failure,
          formSources(question),
        )
      }
    }
  }

  const formSources = (question: Asked) => [
    ...question.formAction,
    ...[...trips.connectors.values()].flatMap(({ origins }) => origins),
  ]

  function rememberCounty(ctx: Context, id: string) {
    const secure = config.issuer.startsWith('https:')
    const options = { httpOnly: true, sameSite: 'lax', signed: false, secure, path: '/' } as const
    ctx.cookies.set(cookies.county, id, { ...options, maxAge: 365 * 24 * 60 * 60 * 1000 })
  }

  /** GET shows what the question asks for; `?as=` shows another page of the same question. */
  router.get('interaction', '/interaction/:uid', async (ctx) => {
    const question = await readQuestion(ctx)
    const { as, choose } = readQuery(ctx)
    const upstream = question.params.upstream
    switch (question.prompt.name) {
      case 'login':
        if (upstream && !choose && trips.connectors.has(upstream)) {
          return leaveFor(ctx, question, upstream)
        }
        return signInPage(ctx, question)
      case 'select_account':
        if (as === 'another') return signInPage(ctx, question)
        if (as === 'affiliation') return affiliationPage(ctx, question)
        return accountPage(ctx, question)
      case 'affiliation':
        return affiliationPage(ctx, question)
      case 'consent':
        return consentPage(ctx, question)
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

  post('sign-in', 'sign-in', async (ctx, question, { account = '', password = '' }) => {
    const ports = { now, passwords, domain: site.local_accounts.domain, acr: site.acr.password }
    const reply = await answerLocally(store, { account, password }, ports)
    const outcome = reply.kind === 'again' ? 'refused' : reply.kind
    ctx.state.log.info({ way: 'password', outcome, client: question.clientId }, 'sign-in')
    await finish(ctx, question, reply, (problem) => signInPage(ctx, question, { account, problem }))
  })

  post('upstream', 'upstream', (ctx, question, { connector = '' }) =>
    leaveFor(ctx, question, connector),
  )

  post('upstream-again', 'upstream/:connector', (ctx, question) =>
    leaveFor(ctx, question, ctx.params.connector ?? ''),
  )

  post('account', 'account', (ctx, question) =>
    finish(ctx, question, answerSameAccount(), cannotBeMended),
  )

  post('affiliation', 'affiliation', async (ctx, question, { affiliation }) => {
    const reply = await answerAffiliation(store, question, affiliation, { now })
    await finish(ctx, question, reply, (problem) => affiliationPage(ctx, question, problem))
  })

  post('consent', 'consent', async (ctx, question, { decision }) => {
    if (question.prompt.name !== 'consent') throw new Problem(400, 'forbidden')
    const allowed = decision === 'allow'
    const reply = allowed ? await answerConsent(store, question, { now }) : answerCancel()
    ctx.state.log.info(
      { client: question.clientId, outcome: allowed ? 'allowed' : 'denied' },
      'consent',
    )
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
