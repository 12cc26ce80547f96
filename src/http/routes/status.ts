/** How upstreams fare, for everybody: a page and the same as JSON, from memory. */
import type Router from '@koa/router'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { shownNotice } from './upstream-words.ts'

const path = '/status'
const goodFor = 15

export function statusRoutes(router: Router<State>, house: House): void {
  const { config, upstreams, upstreamHealth, answer, now } = house

  const connected = () =>
    config.connectors
      .filter(({ id }) => upstreams.today.has(id))
      .map(({ id, label }) => {
        const off = upstreamHealth.offSince(id)
        const { state = 'ok' as const, since } = upstreamHealth.find(id) ?? {}
        const now = off === undefined ? { state, since } : { state: 'off' as const, since: off }
        return { id, label, ...now, notices: upstreamHealth.notices(id) }
      })

  /** Anybody, and every cache on the way, may keep it for a moment: no cookie goes with it. */
  function forAll(ctx: Context) {
    ctx.res.removeHeader('Set-Cookie')
    ctx.set('Cache-Control', `public, max-age=${goodFor}`)
  }

  router.get('status', path, (ctx: Context) => {
    const lang = ctx.state.language
    answer.page(ctx, {
      view: 'status',
      locals: {
        at: new Date(now()),
        upstreams: connected().map(({ id, label, state, since, notices }) => ({
          id,
          label: label[lang],
          state,
          since: since === undefined || state === 'ok' ? undefined : new Date(since * 1000),
          notices: notices.map((one) => shownNotice(house, one)),
        })),
        again: `${path}${ctx.search}`,
      },
    })
    forAll(ctx)
    // Said by the browser, or kept in a cookie.
    ctx.vary('Accept-Language')
    ctx.vary('Cookie')
  })

  router.get('status.json', `${path}.json`, (ctx: Context) => {
    const at = (seconds: number) => new Date(seconds * 1000).toISOString()
    ctx.body = {
      at: new Date(now()).toISOString(),
      upstreams: connected().map(({ since, notices, ...upstream }) => ({
        ...upstream,
        ...(since === undefined ? {} : { since: at(since) }),
        notices: notices.map(({ text, startsAt, endsAt }) => ({
          text,
          from: at(startsAt),
          until: at(endsAt),
        })),
      })),
    }
    forAll(ctx)
  })
}
