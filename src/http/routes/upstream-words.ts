/** How an upstream fares, in words: beside its name, and on the page that says why it cannot be used. */
import type { ConnectorConfig } from '#config/connector.ts'
import type { Language } from '#config/words.ts'
import type { UpstreamFailure } from '#errors.ts'
import { healthRules } from '#federation/health.ts'
import type { Notice } from '#federation/health-board.ts'
import type { Message } from '#lib/messages.ts'
import { seconds } from '#lib/time.ts'
import type { House } from '../house.ts'
import type { ProblemOptions, ShownNotice } from '../problem.ts'
import type { Gate } from '../render.ts'

type Words = Pick<House, 'upstreamHealth' | 'now'>

/** Of the words for one nobody can go to now: staff switched it off, or it was never connected. */
export const awayKey = (
  { upstreamHealth }: Pick<House, 'upstreamHealth'>,
  id: string,
): 'county.switched-off' | 'county.not-connected' =>
  upstreamHealth.offSince(id) === undefined ? 'county.not-connected' : 'county.switched-off'

/** `10:05`, with its day where that is another one: Taiwan's time. */
export function timeInWords(language: Language, at: number, now: number): string {
  const format = (date: number, options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, { timeZone: 'Asia/Taipei', ...options }).format(date)
  const day = { month: 'long', day: 'numeric' } as const
  const time = format(at, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const date = format(at, day)
  return date === format(now, day) ? time : `${date} ${time}`
}

/** What stands after its name in a list; undefined where nothing is the matter. */
export function noteOf(
  { upstreamHealth, now }: Words,
  language: Language,
  id: string,
): Message | undefined {
  if (upstreamHealth.offSince(id) !== undefined) return { key: 'upstream-note.off', params: {} }
  const say = (at: number) => timeInWords(language, at * 1000, now())
  const standing = upstreamHealth.find(id)
  const [first] = upstreamHealth.notices(id)
  const runs = first && first.startsAt <= seconds(now)
  if (standing?.state === 'down')
    return runs
      ? { key: 'upstream-note.down-maintenance', params: { until: say(first.endsAt) } }
      : { key: 'upstream-note.down', params: { since: say(standing.since) } }
  if (runs) return { key: 'upstream-note.maintenance', params: { until: say(first.endsAt) } }
  if (standing?.state === 'slow') return { key: 'upstream-note.slow', params: {} }
  return first && { key: 'upstream-note.planned', params: { from: say(first.startsAt) } }
}

/** By id, those with which something is the matter. */
export const notesOf = (
  house: Words & Pick<House, 'config' | 'upstreams'>,
  language: Language,
): Record<string, Message | undefined> =>
  Object.fromEntries(house.config.connectors.map(({ id }) => [id, shownNote(house, language, id)]))

/** Of one that was never connected, or whose day it is not, nothing but that is said. */
const shownNote = (
  house: Words & Pick<House, 'upstreams'>,
  language: Language,
  id: string,
): Message | undefined => (house.upstreams.today.has(id) ? noteOf(house, language, id) : undefined)

/** Every upstream, as a person chooses among them. */
export const gatesOf = (
  house: Words & Pick<House, 'config' | 'trips' | 'upstreams'>,
  language: Language,
): Gate[] =>
  house.config.connectors.map(({ id, label, keywords }) => ({
    id,
    label: label[language],
    keywords: [...Object.values(label), ...keywords],
    connected: house.trips.connectors.has(id),
    note: shownNote(house, language, id),
  }))

/** A notice as a page shows it. */
export const shownNotice = (
  { now }: Pick<House, 'now'>,
  { text, startsAt, endsAt }: Notice,
): ShownNotice => ({
  text,
  planned: startsAt > seconds(now),
  from: new Date(startsAt * 1000),
  until: new Date(endsAt * 1000),
})

/** Nobody answered, or not as it should: what is known of the upstream explains that. */
const explained: UpstreamFailure[] = ['unreachable', 'slow', 'nonsense']

export type Trouble = Pick<ProblemOptions, 'notices' | 'status' | 'retryAfterSeconds'> & {
  /** Of the problem's words. */
  key: string
  down: boolean
  params: { county: string } & Record<string, string>
}

/** What the page of a failed trip says. */
export function troubleOf(
  house: Words,
  language: Language,
  { id, label }: Pick<ConnectorConfig, 'id' | 'label'>,
  failure: UpstreamFailure,
): Trouble {
  const { upstreamHealth, now } = house
  const standing = upstreamHealth.find(id)
  const county = label[language]
  const notices = upstreamHealth.notices(id).map((one) => shownNotice(house, one))
  const about = { notices, status: true }
  if (standing?.state !== 'down' || !explained.includes(failure))
    return { ...about, key: `upstream.${failure}`, down: false, params: { county } }
  return {
    ...about,
    key: 'upstream.down',
    down: true,
    retryAfterSeconds: healthRules.trialEverySeconds,
    params: { county, since: timeInWords(language, standing.since * 1000, now()) },
  }
}
