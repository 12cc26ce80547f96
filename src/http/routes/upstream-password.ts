/** Our own form for upstreams that have no pages: account and password, asked on their behalf. */
import type Router from '@koa/router'
import { normalName } from '#accounts/local.ts'
import type { ConnectorConfig } from '#config/connector.ts'
import {
  comeBack,
  type Errand,
  leaveOn,
  lookAt,
  type Return,
  usableFor,
} from '#interaction/trips.ts'
import { afterWait, type Message } from '#lib/messages.ts'
import type { Context, State } from '../context.ts'
import type { House } from '../house.ts'
import { formToken, readForm } from '../input.ts'
import { Problem } from '../problem.ts'
import { tryFrom } from '../try-from.ts'
import { openArrivals, originOf } from './upstream.ts'

const pathOf = (connector: string) => `/upstream/${connector}/password`

/** A trip that is under way, whose form is before her. */
type Asked = { connector: ConnectorConfig; state: string; errand: Errand }
type Shown = { account?: string; problem?: Message; status?: number; waitSeconds?: number }
type Typed = { account: string; password: string }

export function upstreamPasswordRoutes(router: Router<State>, house: House): void {
  const { config, keys, answer, trips, limits, knownDevices, metrics } = house
  const { openFor, comingOf, arrive } = openArrivals(house)

  /** Undefined when something else was answered: the trip is over, expired, or another browser's. */
  async function findAsked(ctx: Context): Promise<Asked | undefined> {
    const id = ctx.params.connector ?? ''
    const connector = config.connectors.find((one) => one.id === id)
    if (!connector || trips.opened.get(id)?.asks !== 'password') throw new Problem(404, 'not-found')
    const state = new URLSearchParams(ctx.search).get('state') ?? ''
    const coming = comingOf(ctx, id, { url: new URL(config.issuer), state })
    const trip = await lookAt(trips, coming)
    if (trip.kind === 'lost') {
      await arrive(ctx, id, trip)
      return undefined
    }
    const { errand } = trip
    if (usableFor(trips, errand).has(id)) return { connector, state, errand }
    // Nobody types a password for what staff switched off meanwhile.
    await arrive(ctx, id, { kind: 'not-connected', errand })
    return undefined
  }

  const addressOf = ({ connector, state }: Pick<Asked, 'connector' | 'state'>) =>
    `${pathOf(connector.id)}?${new URLSearchParams({ state })}`

  async function show(ctx: Context, asked: Asked, shown: Shown = {}) {
    const { status, waitSeconds, ...locals } = shown
    const { errand, connector } = asked
    const open = await openFor(errand)
    // Its page knows what became of the app's request.
    if (errand.kind === 'sign-in' && !open)
      return answer.redirect(ctx, `/interaction/${errand.uid}`)
    ctx.state.pageUrl = addressOf(asked)
    answer.page(ctx, {
      view: 'upstream-password',
      status: status ?? (shown.problem ? 422 : 200),
      retryAfterSeconds: waitSeconds,
      // A right password leads on to the app.
      formAction: open?.formAction ?? [],
      locals: {
        ...locals,
        app: open?.app,
        directory: connector.label[ctx.state.language],
        formToken: formToken(keys.form, ctx.state.device ?? ''),
        action: addressOf(asked),
        back: originOf(errand),
      },
    })
  }

  /** As `begin` of the limits of our own passwords: counted before the directory is asked, and given back. */
  function countTry(ctx: Context, connector: string, account: string) {
    // Names of our own have no capitals: the two are counted apart.
    const name = `UPSTREAM ${connector} ${outlineOf(account)}`
    const begin = () => limits.signIn.begin({ name, ...tryFrom(house, ctx)(name) })
    return { begin, remember: () => knownDevices.remember(ctx, name) }
  }

  async function signIn(ctx: Context, asked: Asked, typed: Typed) {
    const { account } = typed
    const { id } = asked.connector
    const counted = countTry(ctx, id, account)
    const begun = await counted.begin()
    if (begun.kind === 'wait') {
      const { because, seconds: waitSeconds } = begun
      limits.refused(ctx, 'upstream-password', because)
      const problem = afterWait(`upstream-password.held.${because}`, waitSeconds)
      return show(ctx, asked, { account, problem, waitSeconds, status: 429 })
    }
    const url = new URL(addressOf(asked), config.issuer)
    const coming = { ...comingOf(ctx, id, { url, state: asked.state }), typed }
    const back = await comeBack(trips, coming).catch(async (error: unknown) => {
      await begun.undecided()
      throw error
    })
    if (isWrong(back)) return again(ctx, asked, account, await begun.wrong(), back)
    if (isProven(back)) {
      await begun.right()
      counted.remember()
    } else await begun.undecided()
    await arrive(ctx, id, back)
  }

  /** The trip was used up by the wrong password: another one is begun on the same errand. */
  async function again(ctx: Context, asked: Asked, account: string, wait: number, back: Refused) {
    const { id } = asked.connector
    const line = { way: 'upstream', connector: id, errand: asked.errand.kind, outcome: 'wrong' }
    ctx.state.log.info(line, 'sign-in')
    if (asked.errand.kind !== 'test') metrics.signIn('upstream', id, 'wrong')
    const leaving = await leaveOn(trips, asked.errand, {
      connector: id,
      device: ctx.state.device ?? '',
      locales: [ctx.state.language],
      // A password is asked for in any case.
      fresh: true,
    })
    if (leaving.kind !== 'leave') return arrive(ctx, id, back)
    const state = new URL(leaving.url).searchParams.get('state') ?? ''
    const problem = wait === 0 ? 'sign-in.wrong' : afterWait('sign-in.wrong-wait', wait)
    return show(ctx, { ...asked, state }, { account, problem, waitSeconds: wait })
  }

  router.get('upstream.password', pathOf(':connector'), async (ctx: Context) => {
    const asked = await findAsked(ctx)
    if (asked) await show(ctx, asked)
  })

  router.post('upstream.password.send', pathOf(':connector'), async (ctx: Context) => {
    const { account = '', password = '' } = await readForm(ctx, keys.form)
    const asked = await findAsked(ctx)
    if (!asked) return
    if (!account.trim() || !password) return show(ctx, asked, { account, problem: 'sign-in.empty' })
    await signIn(ctx, asked, { account, password })
  })
}

/**
 * One name for all that a directory may take for one (RFC 4518 §2): it looks past width, case, accents, blanks and what
 * is not seen, and every spelling would have guesses of its own.
 */
const outlineOf = (account: string): string =>
  normalName(account)
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}\p{DI}]/gu, '')
    .replace(/\s+/g, ' ')

type Refused = Extract<Return, { kind: 'failed' }>

const isWrong = (back: Return): back is Refused =>
  back.kind === 'failed' && back.failure === 'refused'

/** The password was right, whatever comes of it. */
const isProven = ({ kind }: Return): boolean =>
  !['lost', 'interaction-over', 'not-connected', 'failed'].includes(kind)
