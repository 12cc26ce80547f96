/**
 * Requests an app sends as a form from its own page: OpenID Connect Core §3.1.2.1 and RP-Initiated Logout §2
 * want POST beside GET. Our cookies do not travel with another site's form (SameSite=Lax); they do with
 * the GET it is turned into.
 */
import type Router from '@koa/router'
import type { State } from '../context.ts'
import type { House } from '../house.ts'
import { readBody } from '../input.ts'
import { Problem } from '../problem.ts'

/** What fits into an address everywhere, our own header limit included. */
const longest = 8_000

export function formRequestRoutes(router: Router<State>, { answer, cookies }: House): void {
  // The provider's own form: it keeps what it must know of it in the session.
  router.post('device code', '/device', (ctx, next) => {
    if (!ctx.cookies.get(cookies.session, { signed: true })) throw new Problem(400, 'cookies')
    return next()
  })

  for (const path of ['/auth', '/session/end']) {
    router.post(`${path} as a form`, path, async (ctx) => {
      // What may come twice (`resource`) and what may not is for the provider to say, as it does of a GET.
      const query = (await readBody(ctx)).toString()
      if (query.length > longest) throw new Problem(413, 'too-large')
      answer.redirect(ctx, `${path}?${query}`)
    })
  }
}
