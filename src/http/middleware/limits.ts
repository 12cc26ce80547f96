/** Limits that stand before a route or an endpoint, each as a middleware of its own. */
import type { Client, KoaContextWithOIDC } from 'oidc-provider'
import type { WaitOf } from '#oidc/throttle.ts'
import type { Context, Next } from '../context.ts'
import { type Limits, perMinute, type Source } from '../limits.ts'
import { Problem } from '../problem.ts'

const tooMany = (key: string, seconds: number): Problem =>
  new Problem(429, key, {
    params: { seconds: String(seconds), minutes: String(Math.ceil(seconds / 60)) },
    retryAfterSeconds: seconds,
  })

export type Limit = { endpoint: string; points: number; seconds: number }

/** Lets so many requests of one address pass in a window, counted exactly: for what is asked rarely and costs much. */
export function limit(limits: Limits, { endpoint, points, seconds }: Limit) {
  return async (ctx: Context, next: Next) => {
    const { name, factor } = limits.sourceOf(ctx)
    const [count] = await limits.counters.hit({ of: [endpoint, name], seconds })
    if (count.points > points * factor) {
      limits.refused(ctx, endpoint, 'source')
      throw tooMany('limited.source', count.leftSeconds)
    }
    await next()
  }
}

/** Authorization requests, pushed ones too: generous, and without a statement. */
export function limitRequests(limits: Limits) {
  const { requests_per_minute: points } = limits.rules.sources
  return (ctx: Context, next: Next) => {
    const wait = spend(limits, ctx, 'authorization', points)
    if (wait > 0) throw tooMany('limited.source', wait)
    return next()
  }
}

/** A trip to a county is about to begin. Seconds to wait, or zero. */
export const spendDeparture = (limits: Limits, ctx: Context): number =>
  spend(limits, ctx, 'departure', limits.rules.sources.departures_per_minute)

/** A form that says somebody signed out elsewhere: nobody left from here for it, and to check it costs much. */
export function spendSignOutForm(limits: Limits, ctx: Context): void {
  const { departures_per_minute: points } = limits.rules.sources
  const wait = spend(limits, ctx, 'sign-out-form', points)
  if (wait > 0) throw tooMany('limited.source', wait)
}

function spend(limits: Limits, ctx: Context, endpoint: string, points: number): number {
  const { name, factor } = limits.sourceOf(ctx)
  const wait = limits.budget.take(`${endpoint} ${name}`, perMinute(points * factor))
  if (wait > 0) limits.refused(ctx, endpoint, 'source')
  return wait
}

/** Answers of those who join, and names looked up while they are typed, which are more. */
export function limitAnswers(limits: Limits) {
  const { answers_per_source_per_minute: points } = limits.rules.joining
  return (ctx: Context, next: Next) => {
    if (ctx.method !== 'POST') return next()
    const isCheck = ctx.path.endsWith('/check')
    const wait = isCheck
      ? spend(limits, ctx, 'join-check', 2 * points)
      : spend(limits, ctx, 'join-answer', points)
    if (wait > 0) throw tooMany('limited.source', wait)
    return next()
  }
}

/** Wrong codes typed in at `/device`: a right one is given back. */
export function limitUserCodes(limits: Limits) {
  const { wrong_codes: points, wrong_codes_seconds: seconds } = limits.rules.devices
  return async (ctx: Context, next: Next) => {
    if (ctx.method !== 'POST') return next()
    const { name, factor } = limits.sourceOf(ctx)
    const ofBrowser = { of: ['code in', ctx.state.device ?? ''], seconds }
    const ofSource = { of: ['code from', name], seconds }
    const [browser, source] = await limits.counters.hit(ofBrowser, ofSource)
    const giveBack = () =>
      limits.counters.hit({ ...ofBrowser, points: -1 }, { ...ofSource, points: -1 })

    const full = browser.points > points ? browser : source
    if (full.points > points * (full === source ? factor : 1)) {
      await giveBack()
      limits.refused(ctx, 'device', full === source ? 'source' : 'browser')
      throw tooMany('limited.device', full.leftSeconds)
    }
    try {
      await next()
    } catch (error) {
      // No code was looked at.
      await giveBack()
      throw error
    }
    if (ctx.status !== 400) await giveBack()
  }
}

/** Endpoints that know their client before anything else, by node-oidc-provider's names. */
const clientEndpoints = new Set([
  'token',
  'introspection',
  'revocation',
  'pushed_authorization_request',
  'device_authorization',
])

export type ClientLimits = {
  waitOf: WaitOf
  /** Counts client authentications that failed, and says so when they are too many. */
  middleware(ctx: Context, next: Next): Promise<void>
}

/**
 * Clients are held by an overall rate, and by wrong secrets from one address. What a client that proved itself asks
 * costs no statement: the rate is a budget, and that somebody is held is remembered by the process that found out;
 * another one finds out at his next failure.
 */
export function openClientLimits(limits: Limits, now: () => number): ClientLimits {
  const { clients, devices } = limits.rules
  const held = openHeld(now)
  const ours = (ctx: KoaContextWithOIDC) => ctx as unknown as Context

  /** A public client proves nothing: whoever uses its name uses up his own address's share only. */
  const shareOf = ({ clientId, clientAuthMethod }: Client, { name }: Source) =>
    clientAuthMethod === 'none' ? `client ${clientId} ${name}` : `client ${clientId}`
  const rateOf = ({ clientId }: Client) => ({
    // Ten seconds at a time: apps come in bursts.
    points: 10 * (clients.requests_per_second_of[clientId] ?? clients.requests_per_second),
    seconds: 10,
  })

  return {
    waitOf(ctx, client) {
      const { route } = ctx.oidc
      if (!clientEndpoints.has(route)) return 0
      const source = limits.sourceOf(ours(ctx))
      const failed = held.find(`${client.clientId} ${source.name}`)
      if (failed > 0) return refuse(ctx, failed, 'client-source')
      const wait = limits.budget.take(shareOf(client, source), rateOf(client))
      if (wait > 0) return refuse(ctx, wait, 'client')
      if (route !== 'device_authorization') return 0
      const codes = perMinute(devices.codes_per_minute * source.factor)
      const codeWait = limits.budget.take(`codes ${client.clientId} ${source.name}`, codes)
      return codeWait > 0 ? refuse(ctx, codeWait, 'client-source') : 0
    },
    async middleware(ctx, next) {
      await next()
      if (ctx.status !== 401 || errorOf(ctx) !== 'invalid_client') return
      const client: Client | undefined = ctx.oidc?.client
      const source = limits.sourceOf(ctx)
      // It was not the client: what it may ask is not used up by others who know its name.
      if (client) limits.budget.giveBack(shareOf(client, source))
      const id = client?.clientId ?? ''
      const [count] = await limits.counters.hit({ of: ['secret of', id, source.name], seconds: 60 })
      if (count.points <= clients.failures_per_minute * source.factor) return
      held.keep(`${id} ${source.name}`, count.leftSeconds)
      limits.refused(ctx, String(ctx.oidc?.route), 'client-source')
      ctx.status = 429
      ctx.remove('WWW-Authenticate')
      ctx.set('Retry-After', String(count.leftSeconds))
      ctx.body = {
        error: 'temporarily_unavailable',
        error_description: 'too many failed client authentications, see Retry-After',
      }
    },
  }

  function refuse(ctx: KoaContextWithOIDC, wait: number, key: string): number {
    limits.refused(ours(ctx), ctx.oidc.route, key)
    return wait
  }
}

const errorOf = ({ body }: Context): unknown =>
  typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined

/** More are not remembered: the one that waits longest is forgotten. */
const mostHeld = 10_000

/** Who has to wait, as far as this process knows. */
export function openHeld(now: () => number) {
  const until = new Map<string, number>()
  return {
    keep(key: string, seconds: number) {
      until.delete(key)
      if (until.size >= mostHeld) until.delete(until.keys().next().value ?? '')
      until.set(key, now() + seconds * 1000)
    },
    /** Seconds, or zero. */
    find(key: string): number {
      const left = (until.get(key) ?? 0) - now()
      if (left <= 0) until.delete(key)
      return Math.max(0, Math.ceil(left / 1000))
    },
  }
}
