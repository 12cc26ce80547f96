/** How much of each day an upstream was there for people: reckoned from its changes of state. */
import { beginOf, dayIn, daysAfter } from '#lib/taiwan-days.ts'
import { day } from '#lib/time.ts'
import type { UpstreamEventRow } from '#store/store.ts'

const availabilityDays = 30

export type DayOfUpstream = {
  /** `2026-11-21`, in Taiwan. */
  day: string
  /** Seconds of which anything is known, and in which states they were. */
  known: number
  slow: number
  down: number
  off: number
}

/** `off` may lie over the others: nobody could come, whatever its state was. */
type Span = { from: number; until: number; is: 'ok' | 'slow' | 'down' | 'off' }

/** As it is now, and since when. */
type Present = { state: 'ok' | 'slow' | 'down'; since: number }

/** The first second of the first of the days that are looked at, since 1970. */
export const firstDayBegins = (at: number): number =>
  beginOf(daysAfter(dayIn(at), 1 - availabilityDays))

/**
 * The last 30 days, today last. `changes`: those since `firstDayBegins`, the oldest first. `present` is undefined for an
 * upstream that was never asked, `offAt` for one that is not switched off.
 */
export function availabilityOf(
  changes: UpstreamEventRow[],
  { present, offAt, at }: { present: Present | undefined; offAt: number | undefined; at: number },
): DayOfUpstream[] {
  const states = spansOfStates(changes, present, at)
  const offs = spansOff(changes, offAt, at)
  const first = firstDayBegins(at)
  return Array.from({ length: availabilityDays }, (_, i) => {
    const from = first + i * day
    const within = { from, until: Math.min(from + day, at) }
    const off = sum(offs, within)
    const of = (is: Span['is']) =>
      states
        .filter((span) => span.is === is)
        .reduce((all, span) => all + overlap(span, within) - sum(offs, cut(span, within)), 0)
    return {
      day: dayIn(from),
      known: of('ok') + of('slow') + of('down') + off,
      slow: of('slow'),
      down: of('down'),
      off,
    }
  })
}

/** Share of the known time in which people could come, 0 to 1; undefined where nothing is known. */
export function shareOf(days: Pick<DayOfUpstream, 'known' | 'down' | 'off'>[]): number | undefined {
  const known = days.reduce((all, one) => all + one.known, 0)
  const away = days.reduce((all, one) => all + one.down + one.off, 0)
  return known > 0 ? 1 - away / known : undefined
}

function spansOfStates(changes: UpstreamEventRow[], present: Present | undefined, at: number) {
  const events = changes.filter(({ kind }) => kind === 'state')
  const [first] = events
  const before = first
    ? [{ from: Number(first.detail.since), until: first.at, is: stateOf(first.detail.before) }]
    : []
  const between = events.map((event, i) => ({
    from: event.at,
    until: events[i + 1]?.at ?? at,
    is: stateOf(event.what),
  }))
  const only = events.length === 0 && present
  return [...before, ...between, ...(only ? [{ from: only.since, until: at, is: only.state }] : [])]
}

function spansOff(changes: UpstreamEventRow[], offAt: number | undefined, at: number): Span[] {
  const spans: Span[] = []
  let from: number | undefined
  for (const { what, at: when, kind } of changes) {
    if (kind !== 'switch') continue
    if (what === 'off') from ??= when
    // Before the first change that is looked at it was off already.
    else spans.push({ from: from ?? 0, until: when, is: 'off' })
    if (what !== 'off') from = undefined
  }
  const since = from ?? offAt
  return since === undefined ? spans : [...spans, { from: since, until: at, is: 'off' }]
}

const stateOf = (what: unknown): Span['is'] => (what === 'ok' || what === 'slow' ? what : 'down')

type Range = { from: number; until: number }
const cut = (one: Range, by: Range): Range => ({
  from: Math.max(one.from, by.from),
  until: Math.min(one.until, by.until),
})
const overlap = (one: Range, other: Range): number => {
  const { from, until } = cut(one, other)
  return Math.max(0, until - from)
}
const sum = (spans: Range[], within: Range): number =>
  spans.reduce((all, span) => all + overlap(span, within), 0)
