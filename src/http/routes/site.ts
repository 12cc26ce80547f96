/** The few pages that belong to no request of an app, and the files pages are made of. */
import type Router from '@koa/router'
import type { State } from '../context.ts'
import type { House } from '../house.ts'
import { findMember } from '../member.ts'

export function siteRoutes(router: Router<State>, house: House): void {
  const { answer, assets } = house
  router.get('home', '/', async (ctx) => {
    const member = await findMember(house, ctx)
    const signedIn = member && { name: member.profile.name?.value ?? '' }
    answer.page(ctx, { view: 'home', locals: { signedIn } })
  })

  router.get('favicon', '/favicon.ico', (ctx) => {
    ctx.status = 301
    ctx.redirect(assets.url('logo.svg'))
  })

  router.get('asset', /^\/assets\/.+/, (ctx) => {
    const file = assets.serve(ctx.path, ctx.get('accept-encoding'), ctx.get('if-none-match'))
    ctx.remove('Cache-Control')
    ctx.set(file.headers)
    ctx.status = file.status
    if (file.status === 200) ctx.body = file.body
    if (file.type) ctx.type = file.type
  })
}
