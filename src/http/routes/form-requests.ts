/**
 * Requests an app sends as a form from its own page: OpenID Connect Core §3.1.2.1 and RP-Initiated Logout §2
 * want POST beside GET. Our cookies do not travel with another site's form (SameSite=Lax); they do with
 * the GET it is turned into.
 */
import type Router from '@koa/router'
import type { State } from '../context.ts'
import type { House } from '../house.ts'
import { readFields } from '../input.ts'

export function formRequestRoutes(router: Router<State>, { answer }: House): void {
  for (const path of ['/auth', '/session/end']) {
    router.post(`${path} as a form`, path, async (ctx) => {
      answer.redirect(ctx, `${path}?${new URLSearchParams(await readFields(ctx))}`)
    })
  }
}
