/** The pages a question can be shown as: what each view is given. */
import { affiliationsToward, currentAffiliations } from '#accounts/affiliations.ts'
import { findDueTerms } from '#accounts/agreements.ts'
import { shownGrant } from '#interaction/answers.ts'
import type { OpenOffer } from '#interaction/link-offers.ts'
import type { Question } from '#interaction/question.ts'
import { maskMail } from '#lib/mask.ts'
import type { Message } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import { apiAsResource } from '../api/consent.ts'
import { type App, formSources } from '../app-of.ts'
import type { Context } from '../context.ts'
import type { House } from '../house.ts'
import { formToken } from '../input.ts'
import type { Views } from '../render.ts'
import { connectorLabel } from './account/labels.ts'
import { affiliationLabel, schoolLabel } from './labels.ts'
import { gatesOf } from './upstream-words.ts'

/** An open question with the app that waits for its answer. */
export type Asked = Question & {
  app: App
  /** Where the app's answer goes, for CSP form-action. */
  formAction: string[]
}

export function openQuestionPages(house: House) {
  const { store, config, keys, answer, trips, cookies, schoolYear, now } = house
  const { site } = config

  const path = ({ uid }: Question, action: string) => `/interaction/${uid}/${action}`
  const tokenOf = (ctx: Context) => formToken(keys.form, ctx.state.device ?? '')

  function signIn(
    ctx: Context,
    question: Asked,
    more: Partial<Views['sign-in']> = {},
    { status, waitSeconds }: { status?: number; waitSeconds?: number } = {},
  ) {
    const lang = ctx.state.language
    const hint = question.params.login_hint?.slice(0, 200)
    answer.page(ctx, {
      view: 'sign-in',
      status: status ?? (more.problem || more.upstreamProblem ? 422 : 200),
      retryAfterSeconds: waitSeconds,
      formAction: formSources(trips.connectors, question.params.redirect_uri),
      locals: {
        uid: question.uid,
        app: question.app,
        formToken: tokenOf(ctx),
        account: hint ?? '',
        connectors: gatesOf(house, lang),
        chosen: ctx.cookies.get(cookies.county),
        canRemember: site.session.remember,
        actions: {
          local: path(question, 'sign-in'),
          upstream: path(question, 'upstream'),
          cancel: path(question, 'cancel'),
        },
        ...more,
      },
    })
  }

  /** What she is told of the account is what her county said of her, no more. */
  function linkOffer(
    ctx: Context,
    question: Asked,
    { mark, proof, address, identity }: OpenOffer,
    more: Partial<Views['link-offer']> = {},
    { status, waitSeconds }: { status?: number; waitSeconds?: number } = {},
  ) {
    const lang = ctx.state.language
    const at = (action: string) => path(question, `link/${action}`)
    answer.page(ctx, {
      view: 'link-offer',
      status: status ?? (more.problem || more.upstreamProblem ? 422 : 200),
      retryAfterSeconds: waitSeconds,
      formAction: formSources(trips.connectors, question.params.redirect_uri),
      locals: {
        app: question.app,
        formToken: tokenOf(ctx),
        county: connectorLabel(house, lang, identity.connector),
        address: maskMail(address),
        proof,
        offer: mark,
        connectors: gatesOf(house, lang),
        actions: {
          signIn: at('sign-in'),
          upstream: at('upstream'),
          word: at('word'),
          alone: at('alone'),
          cancel: path(question, 'cancel'),
        },
        ...more,
      },
    })
  }

  async function account(ctx: Context, question: Asked) {
    const { accountId, clientId } = question
    const member = accountId ? await store.accounts.find(accountId) : undefined
    if (!accountId || member?.status !== 'active') return signIn(ctx, question)
    const { name, preferred_username: username, email } = member.profile
    const list = await affiliationsToward(store, accountId, clientId, schoolYear)
    const [acting] = list
    answer.page(ctx, {
      view: 'choose-account',
      formAction: question.formAction,
      locals: {
        app: question.app,
        account: {
          name: name?.value ?? username?.value ?? '',
          detail: username?.value ?? email?.value ?? '',
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

  /** The terms this person has to agree to now; undefined when another tab was faster. */
  async function dueTerms({ accountId }: Question) {
    const member = accountId ? await store.accounts.find(accountId) : undefined
    if (!member) return undefined
    const due = findDueTerms({ terms: config.terms, ids: site.agreements }, member, seconds(now))
    return due && { due, before: member.agreed[due.id] !== undefined }
  }
  type Due = NonNullable<Awaited<ReturnType<typeof dueTerms>>>

  function agreement(ctx: Context, question: Asked, { due, before }: Due, problem?: Message) {
    const { id, version, texts } = due
    const text = texts[ctx.state.language]
    if (!text) throw new Error(`terms ${id} ${version} are not there in ${ctx.state.language}`)
    answer.page(ctx, {
      view: 'agreement',
      status: problem ? 422 : 200,
      formAction: question.formAction,
      locals: {
        app: question.app,
        terms: { id, version, ...text },
        before,
        problem,
        formToken: tokenOf(ctx),
        action: path(question, 'agreement'),
      },
    })
  }

  async function affiliation(ctx: Context, question: Asked, problem?: Message) {
    const { accountId, clientId, uid } = question
    if (!accountId) return signIn(ctx, question)
    const [list, chosen] = await Promise.all([
      currentAffiliations(store, accountId, schoolYear),
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
          school: schoolLabel(house, ctx.state.language, one),
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

  async function consent(ctx: Context, question: Asked) {
    const lang = ctx.state.language
    const member = question.accountId ? await store.accounts.find(question.accountId) : undefined
    const client = await house.provider.Client.find(question.clientId)
    const ours = apiAsResource(config.issuer, house.messages, client)
    const known = [...site.resources, ours]
    const wanted = shownGrant(question, known)
    const why = (scope: string) => purposeOf(client?.purposes?.[scope], lang)
    answer.page(ctx, {
      view: 'consent',
      formAction: question.formAction,
      locals: {
        app: question.app,
        account: { name: member?.profile.name?.value ?? '' },
        scopes: wanted.scopes
          .filter((scope) => scope !== 'openid' && scope !== 'offline_access')
          .map((scope) => ({
            scope,
            titleKey: `scope.${scope}.title`,
            detailKey: `scope.${scope}.detail`,
            purpose: why(scope),
          })),
        claims: wanted.claims,
        resources: Object.entries(wanted.resources).map(([id, scopes]) => {
          const resource = known.find((one) => one.id === id)
          const label = (scope: string) =>
            resource?.scopes.find((one) => one.scope === scope)?.label[lang] ?? scope
          return {
            id,
            label: resource?.label[lang] ?? id,
            scopes: scopes.map((scope) => ({ scope, label: label(scope), purpose: why(scope) })),
          }
        }),
        offline: wanted.scopes.includes('offline_access'),
        formToken: tokenOf(ctx),
        actions: { allow: path(question, 'consent'), deny: path(question, 'consent') },
      },
    })
  }

  return { signIn, linkOffer, account, dueTerms, agreement, affiliation, consent }
}

/** What the app wants it for, in its own words: of this language, else of the other one. */
const purposeOf = (
  words: Readonly<Record<string, string>> | undefined,
  language: string,
): string | undefined => words?.[language] ?? Object.values(words ?? {})[0]
