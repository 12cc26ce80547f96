/** What each page of joining is given, and the ways out of it. */
import { randomUUID } from 'node:crypto'
import type { Finished, LinkAnswer, Shown } from '#enrolment/engine.ts'
import type { Joining } from '#enrolment/joinings.ts'
import { answerCancel } from '#interaction/answers.ts'
import type { Leaving } from '#interaction/trips.ts'
import { accountPageClientId } from '#oidc/provider.ts'
import { answerQuestion, findQuestion } from '#oidc/questions.ts'
import type { LinkPurpose } from '#store/store.ts'
import { appOf, cspSource } from '../app-of.ts'
import type { Context } from '../context.ts'
import type { House } from '../house.ts'
import { formToken } from '../input.ts'
import { linkPaths } from '../link-paths.ts'
import { home, type NextStep, Problem } from '../problem.ts'
import { joinedHint, loginAfterJoining } from './joined.ts'
import { joiningPath, visitor } from './joining-tools.ts'
import { keptOf, upstreamStatus } from './next-steps.ts'
import { awayKey, notesOf, troubleOf } from './upstream-words.ts'

export function openJoiningPages(house: House) {
  const { enrolments, config, keys, answer, limits, messages, provider } = house
  const tokenOf = (ctx: Context) => formToken(keys.form, ctx.state.device ?? '')

  /** The app she is on her way to. */
  async function appOfInteraction(uid: string | undefined, language: string) {
    const question = uid ? await findQuestion(provider, uid) : undefined
    const client = question && (await provider.Client.find(question.clientId))
    const { redirect_uri: redirectUri } = question?.params ?? {}
    const app = client && appOf(client, { redirectUri, language })
    return app && { app, formAction: cspSource(redirectUri) }
  }

  async function step(ctx: Context, shown: Shown, waitSeconds?: number) {
    const lang = ctx.state.language
    const { application, enrolment, step, screen, problems, interaction, back } = shown
    const waiting = await appOfInteraction(interaction, lang)
    const titleKey = `joining.${step.type}.title`
    const base = application ? joiningPath(application) : `/join/${enrolment}`
    const action = application ? joiningPath(application, step.id) : base
    answer.page(ctx, {
      view: 'joining',
      status: waitSeconds ? 429 : problems.length > 0 && ctx.method === 'POST' ? 422 : 200,
      ...(waitSeconds ? { retryAfterSeconds: waitSeconds } : {}),
      // Without an answer she goes back to the app, from where a county's step leads on.
      formAction: [...(screen.formAction ?? []), ...(waiting?.formAction ?? [])],
      worker: screen.worker,
      connect: application !== undefined,
      locals: {
        enrolment: shown.title[lang],
        heading: step.title?.[lang] ?? messages.translate(lang, titleKey),
        step: { id: step.id, type: step.type },
        progress: shown.progress,
        screen: screen.locals,
        notes: notesOf(house, lang),
        scripts: screen.scripts ?? [],
        multipart: screen.multipart === true,
        waits: screen.waits === true,
        problems,
        notice: shown.notice,
        typed: shown.typed ?? {},
        version: shown.version,
        interaction: application ? undefined : interaction,
        app: waiting?.app,
        formToken: tokenOf(ctx),
        action,
        check: application ? `${action}/check` : undefined,
        back: application && back ? joiningPath(application, back) : undefined,
        here: application ? joiningPath(application) : undefined,
        later: application ? joiningPath(application, 'later') : undefined,
      },
    })
  }

  async function finished(ctx: Context, application: string, over: Finished) {
    const lang = ctx.state.language
    const waiting = await appOfInteraction(over.interaction, lang)
    answer.page(ctx, {
      view: 'joined',
      formAction: waiting?.formAction ?? [],
      locals: {
        enrolment: over.title[lang],
        text: over.text?.[lang],
        refused: over.refused,
        why: over.why,
        app: waiting?.app,
        formToken: tokenOf(ctx),
        action: joiningPath(application, 'enter'),
      },
    })
  }

  function link(ctx: Context, purpose: LinkPurpose, linked: LinkAnswer) {
    const lang = ctx.state.language
    switch (linked.kind) {
      case 'stale':
        throw new Problem(410, `joining.link.${purpose}`, {
          next: [{ id: 'resend', kind: 'link', href: '/resend', labelKey: 'next.resend' }, home],
        })
      case 'taken':
        throw new Problem(409, 'joining.link.taken', {
          next: [
            { id: 'sign-in', kind: 'link', href: '/account', labelKey: 'next.account' },
            { id: 'reset', kind: 'link', href: '/reset', labelKey: 'next.reset' },
          ],
        })
      case 'done':
        return answer.page(ctx, {
          view: 'joining-link-done',
          locals: { purpose, came: linked.came },
        })
      case 'good': {
        const { step, screen, problems, typed = {} } = linked
        ctx.state.pageUrl ??= ctx.path
        return answer.page(ctx, {
          view: 'joining-link',
          status: problems.length > 0 ? 422 : 200,
          locals: {
            purpose,
            enrolment: linked.title[lang],
            heading: messages.translate(lang, `joining.link.${purpose}.title`),
            step,
            screen: screen.locals,
            scripts: screen.scripts ?? [],
            problems,
            typed,
            formToken: tokenOf(ctx),
            action: `${linkPaths[purpose]}/${encodeURIComponent(ctx.params.token ?? '')}`,
          },
        })
      }
    }
  }

  /** Mails the link to go on with elsewhere. */
  async function later(ctx: Context, joining: Joining, address: string) {
    const problem = await enrolments.mailResume(joining, address, visitor(house, ctx))
    const path = joiningPath(joining.row.id)
    ctx.state.pageUrl = path
    answer.page(ctx, {
      view: 'joining-later',
      status: problem ? 422 : 200,
      locals: {
        problem,
        address,
        days: joining.rules.expires_days,
        formToken: tokenOf(ctx),
        action: joiningPath(joining.row.id, 'later'),
        back: path,
      },
    })
  }

  /** Into the app that waits, or to her own page: she proved herself minutes ago. */
  async function enter(ctx: Context, joining: Joining) {
    const { interaction, door } = joining.draft
    const question = interaction ? await findQuestion(provider, interaction) : undefined
    if (question?.device !== undefined && question.device === ctx.state.device) {
      const login = await loginAfterJoining(house, ctx, joining.row.id)
      const url = login && (await answerQuestion(question, { login, select_account: {} }))
      if (url) return answer.redirect(ctx, url)
    }
    // She is signed in, and goes back to whatever waited for her.
    if (door.entry === 'member')
      return answer.redirect(ctx, question ? `/interaction/${question.uid}` : '/account')
    const request = new URLSearchParams({
      client_id: accountPageClientId,
      response_type: 'none',
      scope: 'openid',
      redirect_uri: `${config.issuer}/account`,
      state: randomUUID(),
      // Whoever was signed in here before is not who has just joined.
      prompt: 'login',
      login_hint: joinedHint(joining.row.id),
    })
    answer.redirect(ctx, `/auth?${request}`)
  }

  /** The app hears that she went back. Its address, or nothing when the question is over. */
  async function cancel(question: object): Promise<string | undefined> {
    const reply = answerCancel()
    return reply.kind === 'finish' ? answerQuestion(question, reply.answer) : undefined
  }

  /** The county could not be reached; the application is kept. */
  function afterUpstream(
    ctx: Context,
    { application, step, connector }: { application: string; step: string; connector: string },
    failure: 'not-connected' | Extract<Leaving, { kind: 'failed' }>['failure'],
  ): Problem {
    const county = config.connectors.find(({ id }) => id === connector)
    const again: NextStep = {
      id: 'joining',
      kind: 'link',
      href: joiningPath(application, step),
      labelKey: 'next.joining',
      primary: true,
    }
    const next = [again, home]
    if (failure === 'not-connected' || !county) {
      const params = { county: county?.label[ctx.state.language] ?? '' }
      const kept = keptOf('join')
      return new Problem(400, awayKey(house, connector), { params, next, kept })
    }
    const { key, ...about } = troubleOf(house, ctx.state.language, county, failure)
    return new Problem(upstreamStatus[failure], key, { ...about, next, kept: keptOf('join') })
  }

  /** Too many leave for a county from one place at once. */
  function afterDepartures(application: string, step: string, seconds: number): Problem {
    const href = joiningPath(application, step)
    return new Problem(429, 'limited.departure', {
      params: { seconds: String(seconds) },
      retryAfterSeconds: seconds,
      kept: keptOf('join'),
      next: [{ id: 'joining', kind: 'link', href, labelKey: 'next.joining', primary: true }, home],
    })
  }

  /** She is a member already, by this very identity. */
  function afterKnown(ctx: Context, connector: string): Problem {
    const county = config.connectors.find(({ id }) => id === connector)?.label[ctx.state.language]
    return new Problem(409, 'joining.known', {
      params: { county: county ?? '' },
      next: [
        { id: 'account', kind: 'link', href: '/account', labelKey: 'next.account', primary: true },
        home,
      ],
    })
  }

  /** How many applications may begin from one place. Gives back what was counted. */
  async function spendStart(ctx: Context) {
    const { name, factor } = limits.sourceOf(ctx)
    const hour = 60 * 60
    const most = limits.rules.joining.starts_per_source_per_hour * factor
    const begun = { of: ['joinings from', name], seconds: hour }
    const giveBack = async () => void (await limits.counters.hit({ ...begun, points: -1 }))
    const [count] = await limits.counters.hit(begun)
    if (count.points <= most) return giveBack
    await giveBack()
    limits.refused(ctx, 'join', 'source')
    throw new Problem(429, 'limited.joining', {
      params: { minutes: String(Math.ceil(count.leftSeconds / 60)) },
      retryAfterSeconds: count.leftSeconds,
      next: [home],
    })
  }

  return {
    step,
    finished,
    link,
    later,
    enter,
    cancel,
    afterUpstream,
    afterDepartures,
    afterKnown,
    spendStart,
  }
}
