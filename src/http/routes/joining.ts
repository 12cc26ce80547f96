/** The pages of joining: choosing a way, and its steps one after another. */
import type Router from '@koa/router'
import type { Submitted } from '#enrolment/engine.ts'
import type { Joining, Visitor } from '#enrolment/joinings.ts'
import type { Input } from '#enrolment/step.ts'
import { leaveOn } from '#interaction/trips.ts'
import { findQuestion } from '#oidc/questions.ts'
import type { Context, State } from '../context.ts'
import { keepCookie } from '../cookies.ts'
import type { House } from '../house.ts'
import { formToken, readForm, readQuery, readUploads } from '../input.ts'
import { findMember } from '../member.ts'
import { limitAnswers, spendDeparture } from '../middleware/limits.ts'
import { home, Problem } from '../problem.ts'
import { joiningLinkRoutes } from './joining-links.ts'
import { openJoiningPages } from './joining-pages.ts'
import {
  answers,
  joinAgain,
  joiningPath,
  openWay,
  requireMember,
  requireOpenUpstream,
  visitor,
} from './joining-tools.ts'

export function joiningRoutes(router: Router<State>, house: House): void {
  const { enrolments, keys, answer, cookies, messages, provider, trips } = house
  const pages = openJoiningPages(house)
  const goTo = openWay(house)

  const visitorOf = (ctx: Context): Visitor => visitor(house, ctx)

  /** The app's request that waits, if it is this browser's. */
  async function interactionOf(ctx: Context, uid: string | undefined) {
    const question = uid ? await findQuestion(provider, uid) : undefined
    return question?.device === ctx.state.device ? question?.uid : undefined
  }

  /** The application, if it is this browser's and not too old. Throws the page that says why not. */
  async function open(ctx: Context): Promise<Joining> {
    const found = await enrolments.find(ctx.params.id ?? '', ctx.state.device ?? '')
    switch (found.kind) {
      case 'found':
        await requireMember(house, ctx, found)
        return found
      case 'other-browser':
        if (!ctx.state.deviceKnown) throw new Problem(400, 'cookies')
        throw new Problem(403, 'joining.other-browser', { next: [joinAgain, home] })
      default:
        throw new Problem(404, `joining.${found.kind}`, { next: [joinAgain, home] })
    }
  }

  /** What this browser began and has not finished. */
  async function startedIn(ctx: Context): Promise<Joining | undefined> {
    const id = ctx.cookies.get(cookies.joining, { signed: true })
    const found = id ? await enrolments.find(id, ctx.state.device ?? '') : undefined
    return found?.kind === 'found' && !enrolments.finished(found) ? found : undefined
  }

  const joinPath = (enrolment: string | undefined, query: Record<string, string | undefined>) => {
    const given = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []))
    const search = given.length > 0 ? `?${new URLSearchParams(given)}` : ''
    return `${enrolment === undefined ? '/join' : `/join/${enrolment}`}${search}`
  }

  // What they send costs hashes, pictures and statements, and nobody has to be anybody to send it.
  router.use(['/join', '/joining'], limitAnswers(house.limits))

  router.get('join', '/join', async (ctx) => {
    const interaction = await interactionOf(ctx, readQuery(ctx).interaction)
    const started = await startedIn(ctx)
    const offers = enrolments.offers('visitor')
    const [only] = offers
    if (!started && only && offers.length === 1)
      return answer.redirect(ctx, joinPath(only.id, { interaction }))
    const lang = ctx.state.language
    answer.page(ctx, {
      view: 'join',
      locals: {
        formToken: formToken(keys.form, ctx.state.device ?? ''),
        offers: offers.map(({ id, title, summary }) => ({
          href: joinPath(id, { interaction, anew: started && 'yes' }),
          title: title[lang],
          summary: summary?.[lang],
        })),
        started: started
          ? {
              href: joiningPath(started.row.id),
              discard: joiningPath(started.row.id, 'discard'),
              title: started.rules.title[lang],
              at: new Date(started.row.updatedAt * 1000),
            }
          : undefined,
      },
    })
  })

  router.get('join.first', '/join/:enrolment', async (ctx) => {
    const enrolment = ctx.params.enrolment ?? ''
    const query = readQuery(ctx)
    const uid = await interactionOf(ctx, query.interaction)
    // The back button leads here: who is under way is asked before she begins a second application.
    if (query.anew === undefined && (await startedIn(ctx))?.rules.id === enrolment)
      return answer.redirect(ctx, joinPath(undefined, { interaction: uid }))
    const whose = await whoseOf(ctx, uid)
    const shown = await enrolments.preview(enrolment, visitorOf(ctx), whose)
    if (!shown) throw new Problem(404, 'joining.unknown', { next: [joinAgain, home] })
    return pages.step(ctx, shown)
  })

  const whoseOf = async (ctx: Context, interaction: string | undefined) => ({
    interaction,
    accountId: (await findMember(house, ctx))?.id,
  })

  router.post('join.start', '/join/:enrolment', async (ctx) => {
    const enrolment = ctx.params.enrolment ?? ''
    ctx.state.pageUrl = joinPath(enrolment, { anew: 'yes' })
    const { fields, files } = await readAnswer(ctx, enrolment)
    const interaction = await interactionOf(ctx, fields.interaction)
    ctx.state.pageUrl = joinPath(enrolment, { interaction, anew: 'yes' })
    const giveBack = await pages.spendStart(ctx)
    const whose = await whoseOf(ctx, interaction)
    const input = { fields: answers(fields), files }
    const submitted = await enrolments.start(enrolment, input, visitorOf(ctx), whose)
    if (!submitted) throw new Problem(404, 'joining.unknown', { next: [joinAgain, home] })
    // A slip on the first page, or a change of mind, begins nothing; what is kept of a slip is begun.
    const isNothing = submitted.kind === 'again' && submitted.shown.application === undefined
    if (isNothing || submitted.kind === 'left') await giveBack()
    await follow(ctx, submitted)
  })

  async function follow(ctx: Context, submitted: Submitted) {
    switch (submitted.kind) {
      case 'next':
        return goTo(ctx, submitted.application, submitted.notice)
      case 'again':
        return pages.step(ctx, submitted.shown, submitted.waitSeconds)
      case 'left':
        return leaveJoining(ctx, submitted.interaction)
      case 'upstream':
        return depart(ctx, submitted)
    }
  }

  /** Back to the app, which hears that she did not sign in; without one, to the front page. */
  async function leaveJoining(ctx: Context, uid: string | undefined) {
    const question = uid ? await findQuestion(provider, uid) : undefined
    if (!question || question.device !== ctx.state.device) return answer.redirect(ctx, '/')
    const url = await pages.cancel(question)
    answer.redirect(ctx, url ?? '/')
  }

  /** Files only where a step asks for them: what nobody asked for is dropped as it comes. */
  const readAnswer = async (ctx: Context, of: string | Joining, step?: string): Promise<Input> => {
    const letters = enrolments.mostLetters(of, step)
    return enrolments.takesFiles(of, step)
      ? readUploads(ctx, keys.form, letters)
      : { fields: await readForm(ctx, keys.form, letters), files: {} }
  }

  async function depart(
    ctx: Context,
    { application, step, connector }: Extract<Submitted, { kind: 'upstream' }>,
  ) {
    keepCookie(ctx, cookies.joining, application, true)
    const wait = spendDeparture(house.limits, ctx)
    if (wait > 0) throw pages.afterDepartures(application, step, wait)
    const device = ctx.state.device ?? ''
    const where = { connector, device, locales: [ctx.state.language], fresh: true }
    const leaving = await leaveOn(trips, { kind: 'join', application, step }, where)
    if (leaving.kind === 'leave') {
      keepCookie(ctx, cookies.county, connector)
      return answer.redirect(ctx, leaving.url)
    }
    if (leaving.kind === 'failed')
      ctx.state.log.warn({ connector, failure: leaving.failure, err: leaving.cause }, 'upstream')
    const failure = leaving.kind === 'failed' ? leaving.failure : leaving.kind
    throw pages.afterUpstream(ctx, { application, step, connector }, failure)
  }

  // Before the pages of an application: a link's address looks like one of them.
  joiningLinkRoutes(router, house)

  router.get('joining', '/joining/:id', async (ctx) => {
    const joining = await open(ctx)
    const finished = enrolments.finished(joining)
    if (finished) return pages.finished(ctx, joining.row.id, finished)
    const shown = await enrolments.show(joining, undefined, visitorOf(ctx))
    if (!shown) throw new Error('an application that is not over has nothing to ask')
    const sent = readQuery(ctx).sent === undefined ? '' : '?sent=1'
    answer.redirect(ctx, `${joiningPath(joining.row.id, shown.step.id)}${sent}`)
  })

  router.get('joining.step', '/joining/:id/:step', async (ctx) => {
    const joining = await open(ctx)
    if (enrolments.finished(joining)) return answer.redirect(ctx, joiningPath(joining.row.id))
    const shown = await enrolments.show(joining, ctx.params.step, visitorOf(ctx))
    // A step that is not hers, or not yet: the one that is.
    if (!shown || shown.step.id !== ctx.params.step) {
      return answer.redirect(ctx, joiningPath(joining.row.id))
    }
    const notice = `joining.${shown.step.type}.sent`
    const said = readQuery(ctx).sent !== undefined && messages.has(notice)
    return pages.step(ctx, said ? { ...shown, notice } : shown)
  })

  router.post('joining.enter', '/joining/:id/enter', async (ctx) => {
    await readForm(ctx, keys.form)
    const joining = await open(ctx)
    requireOpenUpstream(house, ctx, joining)
    await pages.enter(ctx, joining)
  })

  router.post('joining.discard', '/joining/:id/discard', async (ctx) => {
    await readForm(ctx, keys.form)
    await enrolments.discard(await open(ctx))
    answer.redirect(ctx, '/join')
  })

  router.post('joining.later', '/joining/:id/later', async (ctx) => {
    const { address = '' } = await readForm(ctx, keys.form)
    const joining = await open(ctx)
    await pages.later(ctx, joining, address)
  })

  /** Asked by a script while a name is typed. */
  router.post('joining.check', '/joining/:id/:step/check', async (ctx) => {
    const { field = '', value = '' } = await readForm(ctx, keys.form)
    const checked = await enrolments.check(await open(ctx), { field, value }, visitorOf(ctx))
    const { message } = checked ?? {}
    const { key, params } = typeof message === 'object' ? message : { key: message }
    const text = key ? messages.translate(ctx.state.language, key, params) : ''
    answer.data(ctx, { kind: checked?.kind ?? '', text })
  })

  router.post('joining.submit', '/joining/:id/:step', async (ctx) => {
    const step = ctx.params.step ?? ''
    ctx.state.pageUrl = joiningPath(ctx.params.id ?? '', step)
    const joining = await open(ctx)
    requireOpenUpstream(house, ctx, joining)
    const { fields, files } = await readAnswer(ctx, joining, step)
    const input = { fields: answers(fields), files }
    const version = Number(fields.version)
    await follow(ctx, await enrolments.submit(joining, { step, version, input }, visitorOf(ctx)))
  })
}
