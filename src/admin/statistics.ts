/** How many sign in, by what way, from which county and at which app, as far as whoever asks may know. */
import { dayIn, daysAfter } from '#lib/taiwan-days.ts'
import type { SignInKind, SignInWindow, Store } from '#store/store.ts'
import type { Reach } from './staff.ts'

export const spans = [7, 30, 90, 365] as const
export type Span = (typeof spans)[number]

export type Tally = { ok: number; failed: number }

export type SignInStatistics = {
  from: string
  until: string
  all: Tally
  /** Every day of them, also those without a sign-in. */
  days: ({ day: string } & Tally)[]
  ways: ({ way: string; connector: string } & Tally)[]
  /** The busiest first. */
  apps: ({ clientId: string } & Tally)[]
  /** Why sign-ins came to nothing, the most frequent first. */
  failures: { outcome: string; count: number }[]
}

export type Wanted = { days: Span; way?: string; connector?: string; clientId?: string }

/** The last `days` days up to `at` (seconds since 1970), narrowed to what `reach` includes. */
export async function signInStatistics(
  { signInCounts }: Pick<Store, 'signInCounts'>,
  reach: Reach,
  { days, ...only }: Wanted,
  at: number,
): Promise<SignInStatistics> {
  const until = dayIn(at)
  const from = daysAfter(until, 1 - days)
  const window: SignInWindow = { from, until, ...only, ...withinOf(reach) }
  const [byDay, byWay, byApp] = await Promise.all([
    signInCounts.sum(window, ['day', 'outcome']),
    signInCounts.sum(window, ['way', 'connector', 'outcome']),
    signInCounts.sum(window, ['clientId', 'outcome']),
  ])
  const dated = new Map(tallied(byDay, ['day']).map((one) => [one.day, one]))
  const every = Array.from({ length: days }, (_, i) => daysAfter(from, i))
  return {
    from,
    until,
    all: tallied(byDay, [])[0] ?? { ok: 0, failed: 0 },
    days: every.map((day) => dated.get(day) ?? { day, ok: 0, failed: 0 }),
    ways: tallied(byWay, ['way', 'connector']).sort(busiest),
    apps: tallied(byApp, ['clientId']).sort(busiest),
    failures: failuresOf(byDay),
  }
}

const withinOf = (reach: Reach): Pick<SignInWindow, 'within'> =>
  reach.kind === 'all'
    ? {}
    : {
        within: {
          connectors: reach.counties,
          ...(reach.appsOf === undefined ? {} : { appsOf: reach.appsOf }),
        },
      }

const busiest = (a: Tally, b: Tally) => b.ok + b.failed - a.ok - a.failed

/** Added up over what is not in `by`. */
function tallied<By extends keyof SignInKind>(
  rows: (Pick<SignInKind, By | 'outcome'> & { count: number })[],
  by: readonly By[],
): (Pick<SignInKind, By> & Tally)[] {
  const tallies = new Map<string, Pick<SignInKind, By> & Tally>()
  for (const row of rows) {
    const kind = Object.fromEntries(by.map((one) => [one, row[one]])) as unknown as Pick<
      SignInKind,
      By
    >
    const key = JSON.stringify(kind)
    const known = tallies.get(key) ?? { ...kind, ok: 0, failed: 0 }
    known[row.outcome === 'ok' ? 'ok' : 'failed'] += row.count
    tallies.set(key, known)
  }
  return [...tallies.values()]
}

function failuresOf(rows: { outcome: string; count: number }[]): SignInStatistics['failures'] {
  const counts = new Map<string, number>()
  for (const { outcome, count } of rows) {
    if (outcome !== 'ok') counts.set(outcome, (counts.get(outcome) ?? 0) + count)
  }
  return [...counts]
    .map(([outcome, count]) => ({ outcome, count }))
    .sort((a, b) => b.count - a.count)
}
