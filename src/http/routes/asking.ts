/** What every page of an app's request does first and last: read the open question of this browser, and finish it. */
import type { Language } from '#config/words.ts'
import { languages } from '#config/words.ts'
import type { Reply } from '#interaction/answers.ts'
import { chooseLanguage, type Message } from '#lib/messages.ts'
import { findPastInteraction } from '#oidc/adapter.ts'
import { answerQuestion, findQuestion } from '#oidc/questions.ts'
import { appOf, cspSource } from '../app-of.ts'
import type { Context } from '../context.ts'
import type { House } from '../house.ts'
import { readQuery } from '../input.ts'
import { Problem } from '../problem.ts'
import { afterBarred, afterPast, afterWaiting } from './next-steps.ts'
import type { Asked } from './question-pages.ts'
import { openReopening } from './reopening.ts'

/** Shows the page she came from, with what is wrong. */
export type Again = (
  problem: Message,
  how: { status?: number; waitSeconds?: number },
) => void | Promise<void>

export const cannotBeMended: Again = (problem) => {
  throw new Error(`no page to mend ${JSON.stringify(problem)} on`)
}

export function openAsking(house: House) {
  const { provider, store, answer, cookies } = house
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
    const { language } = ctx.state
    const app = appOf(client, { redirectUri, language })
    const shown = { app, formAction: cspSource(redirectUri) }
    return Object.assign(question, shown)
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
    const { redirect_uri: redirectUri } = past.params
    const app = client && appOf(client, { redirectUri, language: ctx.state.language })
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

  return { readQuestion, finish }
}
