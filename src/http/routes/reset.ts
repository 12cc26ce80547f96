/** A lost password: asking for a link, and the page it leads to. */
import type Router from '@koa/router'
import { resetPassword } from '#account/reset-password.ts'
import { signInName } from '#accounts/local.ts'
import { shortest } from '#accounts/password-rules.ts'
import { askedName, findResetLink, type ResetLink } from '#accounts/recovery.ts'
import { putRequest } from '#accounts/requests.ts'
import { afterWait, type Message } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import { spendAsk } from '../ask-limits.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { formToken, readForm } from '../input.ts'
import { linkPaths } from '../link-paths.ts'
import { home, Problem } from '../problem.ts'

const paths = { ask: '/reset', sent: '/reset/sent', done: '/reset/done' }

export function resetRoutes(router: Router<State>, house: House): void {
  const { store, config, keys, answer, limits, now, recovery } = house
  const tokenOf = (ctx: Context) => formToken(keys.form, ctx.state.device ?? '')

  type How = { account?: string; problem?: Message; status?: number; waitSeconds?: number }
  const ask = (ctx: Context, { status, waitSeconds, ...locals }: How = {}) =>
    answer.page(ctx, {
      view: 'reset',
      status,
      retryAfterSeconds: waitSeconds,
      locals: { ...locals, formToken: tokenOf(ctx), action: paths.ask },
    })

  router.get('reset', paths.ask, (ctx) => ask(ctx))

  /** The same words after the same work, whoever has this name or nobody. */
  router.post('reset.ask', paths.ask, async (ctx) => {
    ctx.state.pageUrl = paths.ask
    const { account = '' } = await readForm(ctx, keys.form)
    const name = askedName(account)
    if (!name) return ask(ctx, { account, problem: 'reset.empty', status: 422 })
    const counted = signInName(name, config.site.local_accounts.domain)
    const waitSeconds = await spendAsk(limits, ctx, 'reset', counted)
    if (waitSeconds > 0) {
      const problem = afterWait('reset.held', waitSeconds)
      return ask(ctx, { account, problem, status: 429, waitSeconds })
    }
    const { language } = ctx.state
    const where = circumstancesOf(ctx)
    const request = { ask: 'reset' as const, account: name, language, where }
    await putRequest(store, request, { at: seconds(now), ref: where.ref })
    answer.redirect(ctx, paths.sent)
  })

  router.get('reset.sent', paths.sent, (ctx) => {
    const minutes = Math.round(recovery.linkSeconds / 60)
    answer.page(ctx, { view: 'reset-sent', locals: { minutes, again: paths.ask } })
  })

  router.get('reset.done', paths.done, (ctx) => {
    answer.page(ctx, { view: 'reset-done', locals: { signIn: '/account' } })
  })

  const show = (ctx: Context, { name }: ResetLink & { kind: 'good' }, problems: Problems = {}) =>
    answer.page(ctx, {
      view: 'reset-password',
      status: Object.keys(problems).length > 0 ? 422 : 200,
      locals: {
        account: name,
        shortest,
        problems,
        formToken: tokenOf(ctx),
        action: `${linkPaths.reset}/${ctx.params.token}`,
      },
    })

  async function readLink(ctx: Context): Promise<ResetLink & { kind: 'good' }> {
    const token = ctx.params.token ?? ''
    ctx.state.pageUrl = `${linkPaths.reset}/${encodeURIComponent(token)}`
    const link = await findResetLink(store, token, seconds(now), recovery)
    if (link.kind !== 'good') throw noLonger(link.kind)
    return link
  }

  /** Changes nothing: mail scanners open every link before a person does. */
  router.get('reset.link', `${linkPaths.reset}/:token`, async (ctx) => {
    show(ctx, await readLink(ctx))
  })

  router.post('reset.set', `${linkPaths.reset}/:token`, async (ctx) => {
    const fields = await readForm(ctx, keys.form)
    const link = await readLink(ctx)
    const { password = '', again = '' } = fields
    const problems = await judge(house, link, { password, again })
    if (Object.keys(problems).length > 0) return show(ctx, link, problems)
    const token = ctx.params.token ?? ''
    const around = { language: ctx.state.language, where: circumstancesOf(ctx) }
    const done = await resetPassword(store, { token, password }, around, { ...house, ...recovery })
    // Another request was faster by a moment.
    if (!done) throw noLonger('used')
    answer.redirect(ctx, paths.done)
  })
}

export type Problems = { password?: Message; again?: Message }

async function judge(
  { judgePassword }: House,
  { about }: { about: string[] },
  { password, again }: Record<'password' | 'again', string>,
): Promise<Problems> {
  const problem = await judgePassword(password, about)
  return {
    ...(problem ? { password: problem } : {}),
    // Of a password that will not do, whether it was typed twice alike does not matter yet.
    ...(!problem && password !== again ? { again: 'reset.again.different' } : {}),
  }
}

/** A link that is not good, and the way to another one. */
const noLonger = (why: (ResetLink & { kind: 'used' | 'expired' | 'over' })['kind']) =>
  new Problem(410, `reset.${why}`, {
    next: [
      { id: 'reset-again', kind: 'link', href: paths.ask, labelKey: 'next.reset', primary: true },
      home,
    ],
  })
