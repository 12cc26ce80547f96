/** The address she keeps beside her account, and the page its confirmation leads to. */
import type Router from '@koa/router'
import {
  type AddressChange,
  askAddressChange,
  type Confirmation,
  cancelAddressChange,
  confirmAddress,
  type EmailPorts,
  findConfirmation,
  findWaiting,
  resendConfirmation,
} from '#account/email.ts'
import { seconds } from '#lib/time.ts'
import type { AccountViews } from '../../account-views.ts'
import { circumstancesOf } from '../../circumstances.ts'
import type { Context, State } from '../../context.ts'
import type { House } from '../../house.ts'
import { type Fields, formToken, readForm } from '../../input.ts'
import { linkPaths } from '../../link-paths.ts'
import { dateOf } from './labels.ts'
import type { Member, MemberRoutes } from './members.ts'

const path = '/account/email'
const confirmPath = linkPaths['confirm-address']

export function emailRoutes(router: Router<State>, members: MemberRoutes, house: House): void {
  const { store, keys, answer, now, limits, writeLetter, config } = house
  const { show, act, page, done, bothIfHers } = members
  // Lost second factors are set up again by a letter there.
  const fresh = { fresh: true, both: bothIfHers }
  const ports: EmailPorts = {
    dataKey: keys.data,
    counters: limits.counters,
    writeLetter,
    ownDomain: config.site.local_accounts.domain,
    linkTo: (token) => `${config.issuer}${confirmPath}/${token}`,
  }

  type More = {
    typed?: Fields
    problems?: AccountViews['account-email']['problems']
    status?: number
    waitSeconds?: number
  }
  async function showEmail(
    ctx: Context,
    member: Member,
    { typed = {}, problems = {}, ...more }: More = {},
  ) {
    const [kept, waiting] = await Promise.all([
      store.recoveryAddresses.find(member.account.id),
      findWaiting(store, member.acting, ports),
    ])
    const locals = {
      current: kept && { address: kept.value, confirmed: kept.confirmedAt !== undefined },
      waiting: waiting && { ...waiting, sentAt: dateOf(waiting.sentAt) },
      typed: { address: typed.address ?? '', again: typed.again ?? '' },
      problems,
      actions: { change: path, resend: `${path}/resend`, cancel: `${path}/cancel` },
    }
    page(ctx, member, 'account-email', locals, more)
  }

  async function after(ctx: Context, member: Member, change: AddressChange, typed: Fields) {
    switch (change.kind) {
      case 'sent':
        return done(ctx, path, 'letter')
      case 'again':
        return showEmail(ctx, member, { typed, problems: change.problems, status: 422 })
      case 'wait': {
        const { seconds: waitSeconds } = change
        limits.refused(ctx, 'address-letter', 'account')
        const problem = { key: 'account.email.wait', params: { seconds: waitSeconds } }
        const problems = { address: problem }
        return showEmail(ctx, member, { typed, problems, status: 429, waitSeconds })
      }
      case 'nothing-waits':
        return answer.redirect(ctx, path)
    }
  }

  show('account.email', path, (ctx, member) => showEmail(ctx, member), fresh)

  act(
    'account.email.change',
    path,
    path,
    async (ctx, member, fields) => {
      const { address = '', again = '' } = fields
      const change = await askAddressChange(store, member.acting, { address, again }, ports)
      await after(ctx, member, change, { address, again })
    },
    fresh,
  )

  act(
    'account.email.resend',
    `${path}/resend`,
    path,
    async (ctx, member) =>
      after(ctx, member, await resendConfirmation(store, member.acting, ports), {}),
    fresh,
  )

  act(
    'account.email.cancel',
    `${path}/cancel`,
    path,
    async (ctx, member) => {
      await cancelAddressChange(store, member.acting)
      done(ctx, path, 'cancelled')
    },
    fresh,
  )

  const showConfirmation = (ctx: Context, found: Confirmation) =>
    answer.page(ctx, {
      view: 'account-email-confirm',
      status: found.kind === 'open' || found.kind === 'used' ? 200 : 410,
      locals: {
        kind: found.kind,
        address: found.kind === 'open' ? found.address : undefined,
        formToken: formToken(keys.form, ctx.state.device ?? ''),
        action: `${confirmPath}/${ctx.params.token}`,
      },
    })

  /** Changes nothing: mail scanners open every link before a person does. In any browser, of whoever reads that mail. */
  router.get('account.email.confirm', `${confirmPath}/:token`, async (ctx) => {
    const token = ctx.params.token ?? ''
    showConfirmation(ctx, await findConfirmation(store, token, seconds(now), ports))
  })

  router.post('account.email.confirmed', `${confirmPath}/:token`, async (ctx) => {
    const token = ctx.params.token ?? ''
    const page = `${confirmPath}/${encodeURIComponent(token)}`
    ctx.state.pageUrl = page
    await readForm(ctx, keys.form)
    const around = { at: seconds(now), where: circumstancesOf(ctx) }
    await confirmAddress(store, token, around, ports)
    answer.redirect(ctx, page)
  })
}
