/** The links an application mailed: looked at by GET, used by POST. */
import type Router from '@koa/router'
import type { LinkAnswer } from '#enrolment/engine.ts'
import type { LinkPurpose } from '#store/store.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { formToken, readForm } from '../input.ts'
import { linkPaths } from '../link-paths.ts'
import { home, Problem } from '../problem.ts'
import { openJoiningPages } from './joining-pages.ts'
import { answers, joinAgain, openWay, visitor } from './joining-tools.ts'

export function joiningLinkRoutes(router: Router<State>, house: House): void {
  const { enrolments, keys, answer } = house
  const pages = openJoiningPages(house)
  const goTo = openWay(house)

  function link(purpose: Extract<LinkPurpose, 'activate' | 'guardian'>) {
    const path = `${linkPaths[purpose]}/:token`
    const shownAs = (ctx: Context, linked: LinkAnswer) => pages.link(ctx, purpose, linked)
    router.get(`joining.${purpose}`, path, async (ctx) => {
      const token = ctx.params.token ?? ''
      shownAs(ctx, await enrolments.showLink(purpose, token, visitor(house, ctx)))
    })
    router.post(`joining.${purpose}.use`, path, async (ctx) => {
      const fields = await readForm(ctx, keys.form)
      const token = ctx.params.token ?? ''
      ctx.state.pageUrl = `${linkPaths[purpose]}/${encodeURIComponent(token)}`
      const input = { fields: answers(fields), files: {} }
      const used = await enrolments.useLink(purpose, token, input, visitor(house, ctx))
      if (used.kind === 'done' && used.sameBrowser) return goTo(ctx, used.application)
      shownAs(ctx, used)
    })
  }
  link('activate')
  link('guardian')

  const resume = `${linkPaths.resume}/:token`
  const staleResume = () => new Problem(410, 'joining.link.resume', { next: [joinAgain, home] })
  router.get('joining.resume', resume, async (ctx) => {
    const about = await enrolments.showResume(ctx.params.token ?? '')
    if (!about) throw staleResume()
    const enrolment = about.title[ctx.state.language]
    const token = formToken(keys.form, ctx.state.device ?? '')
    const locals = { enrolment, formToken: token, action: ctx.path }
    answer.page(ctx, { view: 'joining-resume', locals })
  })
  router.post('joining.resume.use', resume, async (ctx) => {
    await readForm(ctx, keys.form)
    const application = await enrolments.takeOver(ctx.params.token ?? '', visitor(house, ctx))
    if (!application) throw staleResume()
    goTo(ctx, application)
  })
}
