/** Every limit of ours in its numbers, and the counters behind them. */
import type { Counters } from '#accounts/counters.ts'
import { openSignInLimits, type SignInLimits } from '#accounts/sign-in-limits.ts'
import type { SiteFile } from '#config/schema.ts'
import { type Budget, type BudgetRules, openBudget } from '#lib/budget.ts'
import type { Log } from '#lib/log.ts'
import type { Metrics } from '#lib/measure.ts'
import { isWithin, neighbourhood, readAddress, readNetwork, region } from '#lib/networks.ts'
import type { Now } from '#lib/time.ts'
import type { Context } from './context.ts'

/** An address as limits see it, and how many people it may stand for. */
export type Source = { name: string; factor: number }

export type Limits = {
  rules: SiteFile['limits']
  counters: Counters
  signIn: SignInLimits
  /** For second factors: who tries them knows the password already. */
  secondFactor: SignInLimits
  /** For what is asked so often that no request may cost a statement: see lib/budget.ts. */
  budget: Budget
  sourceOf(ctx: Context): Source
  /** Somebody was turned away at `endpoint`, by what was counted. */
  refused(ctx: Context, endpoint: string, key: string): void
}

export type LimitPorts = {
  rules: SiteFile['limits']
  counters: Counters
  metrics: Pick<Metrics, 'rateLimited'>
  log: Log
  now: Now
}

export function openLimits({ rules, counters, metrics, log, now }: LimitPorts): Limits {
  const shared = rules.sources.shared.flatMap((text) => readNetwork(text) ?? [])
  return {
    rules,
    counters,
    signIn: openSignInLimits({ counters, rules: rules.sign_in, log }),
    secondFactor: openSignInLimits({ counters, rules: ofSecondFactor(rules.sign_in), log }),
    budget: openBudget(perMinute(rules.sources.requests_per_minute), {
      now,
      async draw(key, points, seconds) {
        const [count] = await counters.hit({ of: ['budget', key], points, seconds })
        return count
      },
      failed: (error) => log.warn({ err: error }, 'limits cannot be counted'),
    }),
    sourceOf({ state: { source } }) {
      const address = shared.length > 0 ? readAddress(source) : undefined
      const factor = address && isWithin(shared, address) ? rules.sources.shared_factor : 1
      return { name: neighbourhood(source), factor }
    },
    refused({ state }, endpoint, key) {
      metrics.rateLimited(endpoint, key)
      state.log.info({ endpoint, key, from: region(state.source) }, 'limited')
    },
  }
}

/** Six digits are guessed sooner than a password, and three of their codes are good at a time. */
const ofSecondFactor = (rules: SiteFile['limits']['sign_in']) => ({
  ...rules,
  failures_per_account_per_hour: Math.min(20, rules.failures_per_account_per_hour),
})

export const perMinute = (points: number): BudgetRules => ({ points, seconds: 60 })
