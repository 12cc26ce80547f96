/**
 * An invitation to be staff: the first page, which its link opens. No GET uses it up, mail scanners open links, too.
 * After it the token is in no address any more: this browser knows it by a hash.
 */
import type Router from '@koa/router'
import { shortest } from '#accounts/password-rules.ts'
import { beginAcceptance } from '#admin/staff/acceptance.ts'
import { invitationPath } from '#admin/staff/inviting.ts'
import { sha256 } from '#lib/crypto.ts'
import type { Message } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import type { StaffInvitationRow } from '#store/store.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { type Fields, readForm } from '../input.ts'
import { Problem } from '../problem.ts'
import { acceptanceRoutes } from './acceptance.ts'
import { openInvited } from './invitation-guest.ts'
import { readNewcomer } from './invitation-newcomer.ts'
import { acceptPath } from './invitation-problems.ts'

export function invitationRoutes(router: Router<State>, house: House): void {
  const { config, keys, answer, now } = house
  const invited = openInvited(house)
  const { ports, deviceOf, tokenOf, readInvitation, offeredBy, signedIn, nameOf } = invited

  /** The first page. Changes nothing. */
  async function showInvitation(
    ctx: Context,
    row: StaffInvitationRow,
    typed: Fields = {},
    problems: { field?: string; problem: Message }[] = [],
  ) {
    const signed = await signedIn(ctx)
    const path = `${invitationPath}/${ctx.params.token}`
    answer.page(ctx, {
      view: 'staff-invitation',
      status: problems.length > 0 ? 422 : 200,
      locals: {
        formToken: tokenOf(ctx),
        offered: offeredBy(ctx, row),
        member: signed && (await nameOf(signed.account)),
        domain: config.site.local_accounts.domain,
        typed: { account: typed.account ?? '', name: typed.name ?? '' },
        shortest,
        problems,
        actions: { join: `${path}/join`, member: `${path}/member` },
      },
    })
  }

  router.get('invitation', `${invitationPath}/:token`, async (ctx) => {
    await showInvitation(ctx, await readInvitation(sha256(ctx.params.token ?? '')))
  })

  /** A form of the first page. */
  const begin = (
    name: string,
    handle: (ctx: Context, row: StaffInvitationRow, fields: Fields) => Promise<void>,
  ) =>
    router.post(`invitation.${name}`, `${invitationPath}/:token/${name}`, async (ctx) => {
      ctx.state.pageUrl = `${invitationPath}/${encodeURIComponent(ctx.params.token ?? '')}`
      const fields = await readForm(ctx, keys.form)
      await handle(ctx, await readInvitation(sha256(ctx.params.token ?? '')), fields)
    })

  begin('join', async (ctx, row, fields) => {
    // For an account there is.
    if (row.accountId !== undefined) throw new Problem(400, 'forbidden')
    const read = await readNewcomer(house, ctx, row, fields)
    if ('problems' in read) return showInvitation(ctx, row, fields, read.problems)
    const place = { invitation: row.id, device: deviceOf(ctx) }
    await beginAcceptance(ports, place, { kind: 'new', ...read.newcomer }, seconds(now))
    answer.redirect(ctx, acceptPath(row.id))
  })

  begin('member', async (ctx, row) => {
    const place = { invitation: row.id, device: deviceOf(ctx) }
    await beginAcceptance(ports, place, { kind: 'member' }, seconds(now))
    answer.redirect(ctx, acceptPath(row.id))
  })

  acceptanceRoutes(router, house, invited)
}
