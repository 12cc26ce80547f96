/** Who makes a call: by the access token and nothing else, so that no browser can be made to make one. */
import {
  type By,
  freshSeconds,
  grantsOf,
  type Permission,
  provedSeconds,
  scopeOf,
} from '#admin/staff.ts'
import { languages } from '#config/words.ts'
import { chooseLanguage } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import { findApiBearer } from '#oidc/api-bearer.ts'
import { circumstancesOf } from '../circumstances.ts'
import type { Context } from '../context.ts'
import type { House } from '../house.ts'
import { readBearer } from '../input.ts'
import { openHeld } from '../middleware/limits.ts'
import { ApiProblem } from './problem.ts'

const realm = 'Bearer realm="citygate"'
const challenge = (rest: string) => ({ 'WWW-Authenticate': `${realm}, ${rest}` })

export type Holders = {
  /** Throws an ApiProblem for who is nobody, or asks too much. */
  find(ctx: Context): Promise<By>
  /** What is said to one whose proof is old, or who has one factor only. */
  stepUp(): ApiProblem
}

export function openHolders(house: House): Holders {
  const { config, store, limits, now } = house
  const { clients } = limits.rules
  const held = openHeld(now)

  const stepUp = () =>
    new ApiProblem('insufficient-user-authentication', {
      detail: `Send her to sign in with acr_values=${config.site.acr.two_factor} and prompt=second_factor, and come with a new token.`,
      headers: challenge(
        `error="insufficient_user_authentication", acr_values="${config.site.acr.two_factor}", max_age="${freshSeconds}"`,
      ),
    })

  function tooMany(ctx: Context, seconds: number, key: string) {
    limits.refused(ctx, 'api', key)
    return new ApiProblem('too-many', {
      detail: `Come again in ${seconds} seconds.`,
      headers: { 'Retry-After': String(seconds) },
    })
  }

  /** Nobody guesses a token; but to look for wrong ones costs a statement each. */
  async function wrongToken(ctx: Context) {
    const { name, factor } = limits.sourceOf(ctx)
    const [count] = await limits.counters.hit({ of: ['api token', name], seconds: 60 })
    if (count.points > clients.failures_per_minute * factor) held.keep(name, count.leftSeconds)
    return new ApiProblem('invalid-token', { headers: challenge('error="invalid_token"') })
  }

  return {
    stepUp,
    async find(ctx) {
      const token = readBearer(ctx)
      if (!token) {
        throw new ApiProblem('no-token', {
          detail: `Get one for the resource ${config.issuer}/api/v1 and send it as Authorization: Bearer.`,
          headers: { 'WWW-Authenticate': realm },
        })
      }
      const wait = held.find(limits.sourceOf(ctx).name)
      if (wait > 0) throw tooMany(ctx, wait, 'source')
      const { provider } = house
      const twoFactor = config.site.acr.two_factor
      const bearer = await findApiBearer(
        { provider, store, issuer: config.issuer, twoFactor },
        token,
      )
      if (bearer.kind === 'refused') {
        throw bearer.error === 'invalid_token' ? await wrongToken(ctx) : stepUp()
      }
      const { holder, scopes, provedAt } = bearer
      const age = provedAt === undefined ? 0 : seconds(now) - provedAt
      if (age > provedSeconds) throw stepUp()
      const rate = { points: 10 * clients.requests_per_second, seconds: 10 }
      const busy = limits.budget.take(`api ${holder}`, rate)
      if (busy > 0) throw tooMany(ctx, busy, 'holder')
      return {
        actor: holder,
        grants: grantsOf(await store.staffRoles.of(holder)),
        scopes,
        fresh: age <= freshSeconds,
        where: circumstancesOf(ctx),
        language: chooseLanguage({ acceptLanguage: ctx.get('accept-language') }, languages, 'en'),
      }
    },
  }
}

/** RFC 6750 §3.1. */
export const insufficientScope = (permission: Permission): ApiProblem =>
  new ApiProblem('insufficient-scope', {
    detail: `It takes the scope ${scopeOf(permission)} and a role that has ${permission}.`,
    headers: challenge(`error="insufficient_scope", scope="${scopeOf(permission)}"`),
  })
