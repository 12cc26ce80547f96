/** Her sign-ins, a page at a time, and before them what was joined to her account. */
import { listSignIns } from '#account/history.ts'
import { listMerges } from '#account/merge.ts'
import type { House } from '../../house.ts'
import { readQuery } from '../../input.ts'
import { namesOfApps } from './app-names.ts'
import { dateOf, wayOf } from './labels.ts'
import type { MemberRoutes } from './members.ts'

const path = '/account/history'
const perPage = 20

export function historyRoutes({ show, page }: MemberRoutes, house: House): void {
  show('account.history', path, async (ctx, member) => {
    const lang = ctx.state.language
    const { after: cursor } = readQuery(ctx)
    const { list, next } = await listSignIns(house.store, member.account.id, {
      cursor,
      limit: perPage,
    })
    const nameOf = await namesOfApps(
      house,
      lang,
      list.map(({ clientId }) => clientId),
    )
    const merges = cursor === undefined ? await listMerges(house.store, member.account.id) : []
    const locals = {
      merges: merges.map(({ id, role, mergedAt, undoneAt }) => ({
        id,
        what: `account.history.merge.${role}`,
        at: dateOf(mergedAt),
        undoneAt: undoneAt === undefined ? undefined : dateOf(undoneAt),
      })),
      signIns: list.map((one) => ({
        at: dateOf(one.at),
        way: wayOf(house, lang, one),
        app: nameOf(one.clientId),
        network: one.network,
        right: one.outcome === 'ok',
      })),
      older: next && `${path}?after=${encodeURIComponent(next)}`,
      newest: cursor === undefined ? undefined : path,
    }
    page(ctx, member, 'account-history', locals)
  })
}
