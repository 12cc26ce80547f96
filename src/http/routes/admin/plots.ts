/** Plots as boxes: places in percent across, in pixels down, so that they fill any width and nothing in them is squeezed. */

import { beginOf, dayIn } from '#lib/taiwan-days.ts'
import { day } from '#lib/time.ts'

/** A bar: both kinds of what is counted, one on the other. */
export type Bar = {
  x: string
  width: string
  /** From the top, and how high. */
  good: { y: number; height: number }
  bad: { y: number; height: number }
}

export type Columns = {
  height: number
  bars: Bar[]
  /** What the lines across say, the highest first; they are equally far apart. */
  scale: number[]
  /** First, middle and last day. */
  days: string[]
  per: 'day' | 'week'
  /** What the bars show, for the table beside them; a week by its first day. */
  counts: readonly Counted[]
}

type Counted = { day: string; ok: number; failed: number }

/** Longer than that, a bar is a week: a day would be thinner than a hair. */
const mostBars = 100

/** A bar for each day, or for each week where there are many days. `height` in pixels. */
export function columnsOf(days: readonly Counted[], height = 160): Columns {
  const per = days.length > mostBars ? 'week' : 'day'
  const counts = per === 'week' ? byWeek(days) : days
  const most = Math.max(0, ...counts.map(({ ok, failed }) => ok + failed))
  const top = roundUp(most)
  const step = 100 / Math.max(1, counts.length)
  const tall = (count: number) => Math.round((count / top) * height * 10) / 10
  return {
    height,
    per,
    counts,
    bars: counts.map(({ ok, failed }, i) => {
      const [good, bad] = [tall(ok), tall(failed)]
      return {
        x: percent(i * step + step * 0.15),
        width: percent(step * 0.7),
        good: { y: height - good, height: good },
        bad: { y: Math.max(0, height - good - bad), height: bad },
      }
    }),
    scale: top % 2 === 0 ? [top, top / 2, 0] : [top, 0],
    days: [counts[0], counts[Math.floor(counts.length / 2)], counts.at(-1)].flatMap(
      (one) => one?.day ?? [],
    ),
  }
}

/** Weeks of seven days that end with the last one. What is left at the beginning is no week: its bar would look like a fall. */
function byWeek(days: readonly Counted[]): Counted[] {
  const weeks: Counted[] = []
  for (let end = days.length; end >= 7; end -= 7) {
    const week = days.slice(end - 7, end)
    weeks.unshift({
      day: week[0]?.day ?? '',
      ok: week.reduce((all, one) => all + one.ok, 0),
      failed: week.reduce((all, one) => all + one.failed, 0),
    })
  }
  return weeks
}

/** To a number people read at a glance. */
function roundUp(most: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(1, most)))
  const tops = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].map((times) => Math.round(times * size))
  return tops.find((top) => top >= most) ?? 10 * size
}

const percent = (share: number): string => `${Math.round(share * 100) / 100}%`

/** How much of `all` it is, as a width. */
export const shareOf = (part: number, all: number): string =>
  percent(all === 0 ? 0 : (100 * part) / all)

export type Span = { kind: string; from: number; until: number }

export type Timeline = {
  rows: { label: string; spans: { kind: string; x: string; width: string }[] }[]
  /** Where the present is. */
  now: string
  /** Where each month begins. */
  months: { x: string; at: Date }[]
}

/** Spans of time one under the other, cut off at both ends. Times are seconds since 1970. */
export function timelineOf(
  rows: readonly { label: string; spans: readonly Span[] }[],
  { from, until, now }: { from: number; until: number; now: number },
): Timeline {
  const place = (at: number) =>
    (100 * (Math.min(until, Math.max(from, at)) - from)) / Math.max(1, until - from)
  return {
    rows: rows.map(({ label, spans }) => ({
      label,
      spans: spans.flatMap((span) => {
        const [begin, end] = [place(span.from), place(span.until)]
        const { kind } = span
        return end > begin ? [{ kind, x: percent(begin), width: percent(end - begin) }] : []
      }),
    })),
    now: percent(place(now)),
    months: monthsIn(from, until).map((at) => ({ x: percent(place(at)), at: new Date(at * 1000) })),
  }
}

function monthsIn(from: number, until: number): number[] {
  const first = Math.floor(from / day) * day
  const days = Array.from({ length: Math.ceil((until - first) / day) }, (_, i) => first + i * day)
  return [...new Set(days.map((at) => `${dayIn(at).slice(0, 7)}-01`))]
    .map(beginOf)
    .filter((at) => at >= from)
}
