/** 重發驗證信: for who registered and has no activation mail. The same words for everybody. */
import type Router from '@koa/router'
import { normalName } from '#accounts/local.ts'
import { putRequest } from '#accounts/requests.ts'
import { isMailAddress } from '#lib/mail.ts'
import { afterWait, type Message } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import { spendAsk } from '../ask-limits.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { formToken, readForm } from '../input.ts'

const paths = { ask: '/resend', sent: '/resend/sent' }

export function resendRoutes(router: Router<State>, house: House): void {
  const { store, keys, answer, limits, now } = house

  type How = { address?: string; problem?: Message; status?: number; waitSeconds?: number }
  const ask = (ctx: Context, { status, waitSeconds, ...locals }: How = {}) =>
    answer.page(ctx, {
      view: 'resend',
      status,
      retryAfterSeconds: waitSeconds,
      locals: {
        ...locals,
        formToken: formToken(keys.form, ctx.state.device ?? ''),
        action: paths.ask,
      },
    })

  router.get('resend', paths.ask, (ctx) => ask(ctx))

  /** Puts it down for whoever it may be: who that is, is looked up when the page has answered. */
  router.post('resend.ask', paths.ask, async (ctx) => {
    ctx.state.pageUrl = paths.ask
    const { address: typed = '' } = await readForm(ctx, keys.form)
    const address = normalName(typed)
    if (!isMailAddress(address))
      return ask(ctx, { address: typed, problem: 'resend.no-address', status: 422 })
    const waitSeconds = await spendAsk(limits, ctx, 'resend', address)
    if (waitSeconds > 0) {
      const problem = afterWait('resend.held', waitSeconds)
      return ask(ctx, { address: typed, problem, status: 429, waitSeconds })
    }
    const { language } = ctx.state
    const { ref } = ctx.state
    await putRequest(store, { ask: 'resend', address, language }, { at: seconds(now), ref })
    answer.redirect(ctx, paths.sent)
  })

  router.get('resend.sent', paths.sent, (ctx) => {
    answer.page(ctx, { view: 'resend-sent', locals: { again: paths.ask } })
  })
}
