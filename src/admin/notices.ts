/** Announcing an upstream's maintenance, and withdrawing it. */
import { randomUUID } from 'node:crypto'
import { day, type Now, seconds } from '#lib/time.ts'
import type { Circumstances, NoticeRow, Store } from '#store/store.ts'

export type NoticePorts = {
  store: Pick<Store, 'transaction'>
  now: Now
  /** Who does it and from where, for the audit trail. */
  actor: string
  where?: Circumstances
  /** Ids of the upstreams there are. */
  connectors: string[]
}

/** As it was typed. */
export type NewNotice = {
  connector: string
  text: { 'zh-TW': string; en: string }
  from: string
  until: string
}

export type NoticeProblem = {
  field: string
  message: string
  code: string
  params?: { most: number }
}
export type Announced =
  | { kind: 'announced'; notice: NoticeRow }
  | { kind: 'rejected'; problems: NoticeProblem[] }

const longestText = 300
/** A notice nobody withdrew must not stand for ever. */
const longestSeconds = 90 * day

/** A moment with its offset, or without one in Taiwan's time: `2026-12-01 18:00`. Undefined for anything else. */
export function readMoment(text: string): number | undefined {
  const found = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(Z|[+-]\d\d:\d\d)?$/.exec(text.trim())
  if (!found) return undefined
  const [, day = '', time, second = ':00', zone = '+08:00'] = found
  const at = Date.parse(`${day}T${time}${second}${zone}`)
  if (Number.isNaN(at)) return undefined
  // 31 February is no moment, though the parser makes one of it.
  const exists = new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
  return exists ? Math.floor(at / 1000) : undefined
}

/** Writes the announcement down, or says everything that is wrong with it and changes nothing. */
export async function announce(
  { store, now, actor, where, connectors }: NoticePorts,
  { connector, text, from, until }: NewNotice,
): Promise<Announced> {
  const problems: NoticeProblem[] = []
  const wrong = (field: string, code: string, message: string) =>
    problems.push({ field, message, code, params: { most: longestText } })
  const words = { 'zh-TW': text['zh-TW'].trim(), en: text.en.trim() }
  const startsAt = readMoment(from)
  const endsAt = readMoment(until)
  const at = seconds(now)
  if (!connectors.includes(connector))
    wrong('connector', 'invalid', `${connector} is none of ${connectors.join(', ')}`)
  for (const [language, one] of Object.entries(words)) {
    if (one === '' || one.length > longestText)
      wrong(language, one === '' ? 'empty' : 'too-long', `must be 1 to ${longestText} letters`)
  }
  const moment = 'must be a moment such as "2026-12-01 18:00" (Taiwan) or 2026-12-01T10:00Z'
  if (startsAt === undefined) wrong('from', 'moment', moment)
  if (endsAt === undefined) wrong('until', 'moment', moment)
  else if (endsAt <= Math.max(at, startsAt ?? 0))
    wrong('until', 'notice-over', 'must be later than now and from')
  else if (endsAt - (startsAt ?? at) > longestSeconds)
    wrong('until', 'notice-too-long', 'is more than 90 days after from')
  if (problems.length > 0 || startsAt === undefined || endsAt === undefined)
    return { kind: 'rejected', problems }
  const id = randomUUID()
  const notice = { id, connector, text: words, startsAt, endsAt, createdAt: at, createdBy: actor }
  await store.transaction(async (tables) => {
    await tables.upstreamNotices.create(notice)
    await tables.audit.record({
      at,
      actor,
      action: 'upstream.announce',
      target: `connector:${connector}`,
      outcome: 'ok',
      ...where,
      details: { notice: id, from: startsAt, until: endsAt },
    })
  })
  return { kind: 'announced', notice }
}

/** False when there is no such notice. */
export const withdraw = (
  { store, now, actor, where }: Pick<NoticePorts, 'store' | 'now' | 'actor' | 'where'>,
  id: string,
): Promise<boolean> =>
  store.transaction(async (tables) => {
    if (!(await tables.upstreamNotices.remove(id))) return false
    const event = { action: 'upstream.withdraw', target: `notice:${id}`, outcome: 'ok' }
    await tables.audit.record({ at: seconds(now), actor, ...event, ...where })
    return true
  })
