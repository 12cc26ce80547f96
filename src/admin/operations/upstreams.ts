/** What staff can do about upstreams. One beyond her reach is answered like one that does not exist. */

import { z } from 'zod'
import { isoTime } from '#lib/time.ts'
import type { UpstreamEventRow } from '#store/store.ts'
import { announce, withdraw } from '../notices.ts'
import { type Acting, done, nothing, type Operation, operation, unknown } from '../operation.ts'
import { byAge, cutPage, paged, pageOf, readCursor, strangeCursor } from '../paging.ts'
import type { AdminPorts } from '../ports.ts'
import { reachesUpstream } from '../staff.ts'
import { probeNow } from '../upstreams/probing.ts'
import {
  eventKinds,
  eventShape,
  noticeShape,
  openings,
  probeShape,
  type UpstreamEvent,
  type UpstreamItem,
  upstreamDetail,
  upstreamShape,
} from '../upstreams/shapes.ts'
import { detailOf, itemOf, recentFailures } from '../upstreams/standing.ts'
import { switchOff, switchOn } from '../upstreams/switching.ts'

const id = z.string().min(1).max(32)
const words = z.strictObject({ 'zh-TW': z.string().max(2000), en: z.string().max(2000) })

/** Those she reaches, in the selector's order. */
const reached = ({ config }: Pick<AdminPorts, 'config'>, { reach }: Acting) =>
  config.connectors.filter(({ id }) => reachesUpstream(reach, id))

const find = (ports: Pick<AdminPorts, 'config'>, by: Acting, wanted: string) =>
  reached(ports, by).find((one) => one.id === wanted)

export const upstreamSorts = ['order', 'state', 'failures', 'certificate'] as const
const never = '9999'
const standings = ['down', 'slow', 'off', 'unheard', 'ok', 'early', 'over', 'not-connected']
const standingOf = ({ opening, state }: UpstreamItem) =>
  standings.indexOf(opening === 'open' ? (state ?? 'unheard') : opening)
/** What wants looking at first; `order` is the selector's. */
const sorts: Record<(typeof upstreamSorts)[number], (a: UpstreamItem, b: UpstreamItem) => number> =
  {
    order: () => 0,
    state: (a, b) => standingOf(a) - standingOf(b),
    failures: (a, b) => b.failures.count - a.failures.count,
    certificate: ({ certificateExpiresAt: a = never }, { certificateExpiresAt: b = never }) =>
      a.localeCompare(b),
  }

export const listUpstreams = operation({
  id: 'upstreams.list',
  summary: 'Lists the counties and other upstreams, with how each fares.',
  permission: 'upstreams.read',
  method: 'GET',
  path: '/upstreams',
  input: z.strictObject({
    ...paged,
    opening: z.enum(openings).optional(),
    state: z.enum(['ok', 'slow', 'down']).optional(),
    sort: z.enum(upstreamSorts).default('order'),
  }),
  output: pageOf(upstreamShape),
  async run(ports, by, { cursor, limit, opening, state, sort }) {
    const place = cursor === undefined ? [] : readCursor(cursor, z.tuple([z.string()]))
    if (!place) return strangeCursor
    await ports.upstreamHealth.look()
    const failures = await recentFailures(ports)
    const all = reached(ports, by)
      .map((file) => itemOf(ports, file, failures(file.id)))
      .sort(sorts[sort])
    const [after] = place
    const from = after === undefined ? 0 : all.findIndex((one) => one.id === after) + 1
    if (after !== undefined && from === 0) return strangeCursor
    // Filtered afterwards: the one the page before ended with may be in another state by now.
    const found = all
      .slice(from)
      .filter((one) => opening === undefined || one.opening === opening)
      .filter((one) => state === undefined || one.state === state)
    return done(cutPage(found.slice(0, limit + 1), limit, (one) => [one.id]))
  },
})

export const getUpstream = operation({
  id: 'upstreams.get',
  summary:
    'Reads everything known of one upstream: state, failures, availability, certificates, file.',
  permission: 'upstreams.read',
  method: 'GET',
  path: '/upstreams/{id}',
  input: z.strictObject({ id }),
  output: upstreamDetail,
  async run(ports, by, input) {
    const file = find(ports, by, input.id)
    if (!file) return unknown
    await ports.upstreamHealth.look()
    return done(await detailOf(ports, file))
  },
})

export const listUpstreamEvents = operation({
  id: 'upstreams.events',
  summary: 'Lists what happened at one upstream, the newest first.',
  permission: 'upstreams.read',
  method: 'GET',
  path: '/upstreams/{id}/events',
  input: z.strictObject({ ...paged, id, kind: z.enum(eventKinds).optional() }),
  output: pageOf(eventShape),
  async run(ports, by, { id: wanted, cursor, limit, kind }) {
    const file = find(ports, by, wanted)
    if (!file) return unknown
    const place = cursor === undefined ? undefined : readCursor(cursor, byAge)
    if (cursor !== undefined && !place) return strangeCursor
    const before = place ? { before: { at: place.createdAt, id: place.id } } : {}
    const found = await ports.store.upstreamEvents.list(file.id, {
      ...(kind === undefined ? {} : { kind }),
      ...before,
      limit: limit + 1,
    })
    const page = cutPage(found, limit, (one) => [one.at, one.id])
    return done({ ...page, items: page.items.map(shownEvent) })
  },
})

/** `by` is of staff; which account it was is theirs to know. */
const shownEvent = ({
  id: event,
  at,
  kind,
  what,
  ref,
  detail,
}: UpstreamEventRow): UpstreamEvent => ({
  id: event,
  at: isoTime(at),
  kind,
  what,
  ...(ref === '' ? {} : { ref }),
  ...detail,
})

export const probeUpstream = operation({
  id: 'upstreams.probe',
  summary: 'Asks the upstream now whether somebody could sign in there.',
  permission: 'upstreams.write',
  method: 'POST',
  path: '/upstreams/{id}/probe',
  input: z.strictObject({ id }),
  output: probeShape,
  async run(ports, by, input) {
    const file = find(ports, by, input.id)
    if (!file) return unknown
    const probed = await probeNow(ports, file.id)
    return probed ? done(probed) : { kind: 'refused', why: 'upstream-not-connected' }
  },
})

export const switchUpstreamOff = operation({
  id: 'upstreams.switchOff',
  summary: 'Switches an upstream off: nobody signs in through it, nor those on their way back.',
  permission: 'upstreams.write',
  dangerous: true,
  method: 'POST',
  path: '/upstreams/{id}/switch-off',
  input: z.strictObject({ id, reason: z.string().trim().min(1).max(300) }),
  output: nothing,
  async run(ports, by, { id: wanted, reason }) {
    const file = find(ports, by, wanted)
    return file ? switchOff(ports, by, file.id, reason) : unknown
  },
})

export const switchUpstreamOn = operation({
  id: 'upstreams.switchOn',
  summary: 'Switches an upstream on again.',
  permission: 'upstreams.write',
  dangerous: true,
  method: 'POST',
  path: '/upstreams/{id}/switch-on',
  input: z.strictObject({ id }),
  output: nothing,
  async run(ports, by, input) {
    const file = find(ports, by, input.id)
    return file ? switchOn(ports, by, file.id) : unknown
  },
})

export const addUpstreamNotice = operation({
  id: 'upstreams.notices.add',
  summary: 'Announces maintenance: at the selector, at /status and where a trip fails.',
  permission: 'upstreams.write',
  method: 'POST',
  path: '/upstreams/{id}/notices',
  input: z.strictObject({
    id,
    text: words,
    /** `2026-12-01 18:00`, Taiwan’s time, or with an offset. */
    from: z.string().max(40),
    until: z.string().max(40),
  }),
  output: noticeShape,
  async run(ports, by, { id: connector, ...notice }) {
    const file = find(ports, by, connector)
    if (!file) return unknown
    const announced = await announce(
      { ...ports, actor: by.actor, where: by.where, connectors: [file.id] },
      { connector, ...notice },
    )
    if (announced.kind === 'rejected') {
      const inText = (field: string) => (field in notice.text ? `text.${field}` : field)
      const problems = announced.problems.map((one) => ({ ...one, field: inText(one.field) }))
      return { kind: 'rejected', problems }
    }
    const { id: made, text, startsAt, endsAt } = announced.notice
    await ports.upstreamHealth.look()
    return done({ id: made, text, from: isoTime(startsAt), until: isoTime(endsAt) })
  },
})

export const removeUpstreamNotice = operation({
  id: 'upstreams.notices.remove',
  summary: 'Withdraws an announcement.',
  permission: 'upstreams.write',
  method: 'DELETE',
  path: '/upstreams/{id}/notices/{notice}',
  input: z.strictObject({ id, notice: z.string().min(1).max(36) }),
  output: nothing,
  async run(ports, by, { id: connector, notice }) {
    const file = find(ports, by, connector)
    const found = file && (await ports.store.upstreamNotices.find(notice))
    if (found?.connector !== connector) return unknown
    const gone = await withdraw({ ...ports, actor: by.actor, where: by.where }, notice)
    await ports.upstreamHealth.look()
    return gone ? done({}) : unknown
  },
})

export const upstreamsOperations: readonly Operation[] = [
  listUpstreams,
  getUpstream,
  listUpstreamEvents,
  probeUpstream,
  switchUpstreamOff,
  switchUpstreamOn,
  addUpstreamNotice,
  removeUpstreamNotice,
]
