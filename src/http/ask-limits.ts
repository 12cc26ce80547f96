/** How often mails may be asked for by name: alike for names somebody has and names nobody has. */
import type { Context } from './context.ts'
import type { Limits } from './limits.ts'

/** Counts one asking at `endpoint` for this name. Seconds to wait, or zero. */
export async function spendAsk(
  limits: Limits,
  ctx: Context,
  endpoint: 'reset' | 'resend',
  name: string,
): Promise<number> {
  const { recovery: rules } = limits.rules
  const { name: from, factor } = limits.sourceOf(ctx)
  const pause = { of: [`${endpoint} pause`, name], seconds: rules.pause_seconds }
  const ofAccount = { of: [`${endpoint}s of`, name], seconds: 60 * 60 }
  const ofSource = { of: [`${endpoint}s from`, from], seconds: 60 * 60 }
  const [last, account, source] = await limits.counters.hit(pause, ofAccount, ofSource)
  const held = [
    { over: source.points > rules.per_source_per_hour * factor, key: 'source', ...source },
    { over: account.points > rules.per_account_per_hour, key: 'account', ...account },
    { over: last.points > 1, key: 'account', ...last },
  ].find(({ over }) => over)
  if (!held) return 0
  // What was turned away does not count.
  const giveBack = { points: -1 }
  await limits.counters.hit(
    { ...pause, ...giveBack },
    { ...ofAccount, ...giveBack },
    { ...ofSource, ...giveBack },
  )
  limits.refused(ctx, endpoint, held.key)
  return held.leftSeconds
}
