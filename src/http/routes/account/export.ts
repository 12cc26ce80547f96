/** Everything we hold of her, as a file. */
import { exportAccount } from '#account/export.ts'
import { numberKeyOf } from '#accounts/personal-numbers.ts'
import type { House } from '../../house.ts'
import type { MemberRoutes } from './members.ts'

const path = '/account/export'
const fresh = { fresh: true }

export function exportRoutes({ show, act, page }: MemberRoutes, house: House): void {
  const { store, config, keys } = house

  show(
    'account.export',
    path,
    (ctx, member) => page(ctx, member, 'account-export', { action: path }),
    fresh,
  )

  // By a form: what carries everything of her is not to be fetched by a link.
  act(
    'account.export.file',
    path,
    path,
    async (ctx, { acting }) => {
      const ports = { issuer: config.issuer, numberKey: numberKeyOf(keys.data) }
      const all = await exportAccount(store, acting, ports)
      const day = new Date(acting.at * 1000).toISOString().slice(0, 10)
      ctx.set('Content-Disposition', `attachment; filename="${config.site.id}-${day}.json"`)
      ctx.set('Content-Security-Policy', "default-src 'none'; sandbox")
      ctx.type = 'application/json'
      ctx.body = `${JSON.stringify(all, undefined, 2)}\n`
    },
    fresh,
  )
}
