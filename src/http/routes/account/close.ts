/** The end of an account, as far as its member can bring it about. */
import type Router from '@koa/router'
import { closeAccount, closingPhrase } from '#account/closing.ts'
import type { Message } from '#lib/messages.ts'
import { day } from '#lib/time.ts'
import type { Context, State } from '../../context.ts'
import type { House } from '../../house.ts'
import type { Member, MemberRoutes } from './members.ts'

const path = '/account/close'

export function closeRoutes(router: Router<State>, members: MemberRoutes, house: House): void {
  const { store, config, answer, writeLetter } = house
  const { show, act, page, bothIfHers } = members
  const fresh = { fresh: true, both: bothIfHers }
  const graceDays = config.site.account.grace_days

  type More = { typed?: string; problem?: Message; status?: number }
  async function showClose(ctx: Context, member: Member, { typed, problem, status }: More = {}) {
    const phrase = await closingPhrase(store, member.account)
    const locals = { phrase, typed: typed ?? '', problem, graceDays, action: path }
    page(ctx, member, 'account-close', locals, { status })
  }

  show('account.close', path, (ctx, member) => showClose(ctx, member), fresh)

  act(
    'account.close.confirm',
    path,
    path,
    async (ctx, member, { phrase = '' }) => {
      const graceSeconds = graceDays * day
      const ports = { writeLetter, graceSeconds, link: `${config.issuer}/account` }
      const closed = await closeAccount(store, member.acting, phrase, ports)
      if (closed.kind === 'again') {
        return showClose(ctx, member, { typed: phrase, problem: closed.problem, status: 422 })
      }
      answer.redirect(ctx, '/account/closed')
    },
    fresh,
  )

  /** For who is signed in nowhere any more. */
  router.get('account.closed', '/account/closed', (ctx) => {
    answer.page(ctx, { view: 'account-closed', locals: { graceDays, signIn: '/account' } })
  })
}
