/** The audit trail at the console: search it, look at one event, take it along, have its chains walked. */
import { z } from 'zod'
import { faultKeys } from '#admin/audit.ts'
import { eventPlaceIn } from '#admin/audit-trail.ts'
import { problemsOf } from '#admin/operation.ts'
import {
  type AuditEventShape,
  auditFilter,
  exportAudit,
  listAudit,
  readAudit,
  readAuditCheck,
  verifyAuditTrail,
} from '#admin/operations/audit.ts'
import { type Order, orders, readCursor } from '#admin/paging.ts'
import { openReadBack } from '#lib/read-back.ts'
import { seconds } from '#lib/time.ts'
import type { House } from '../../house.ts'
import { oneOf, readQuery } from '../../input.ts'
import { shownOf, withQuery } from './addresses.ts'
import type { Staff } from './admission.ts'
import type { Console } from './console.ts'
import { problemOf, valueAt, valueIn } from './console-problems.ts'
import type { ShownEvent } from './operations-views.ts'

const list = '/admin/audit'
const read = { permission: 'audit.read' } as const

const fields = Object.keys(auditFilter) as (keyof typeof auditFilter)[]

export function auditRoutes(console: Console, house: House): void {
  const { show, act, page, done, problemsFrom } = console
  const { answer, messages, now } = house
  const readBack = openReadBack(messages, faultKeys)
  const inWords = <T extends { message: string }>(fault: T) => ({
    ...fault,
    said: readBack(fault.message),
  })

  show(list, read, async (ctx, staff) => {
    const query = readQuery(ctx)
    const { cursor } = query
    const asked = askedOf(query)
    const order = oneOf(orders, query.order) ?? 'newest'
    const here = { ...asked, order: order === 'newest' ? undefined : order }
    const [found, checked] = await Promise.all([
      staff.perform(listAudit, { ...asked, order, ...(cursor ? { cursor } : {}) }),
      staff.perform(readAuditCheck, {}),
    ])
    const rejected = found.kind === 'rejected'
    const problems = rejected ? problemsFrom(found.problems) : []
    const { items, next } = rejected ? noEvents : valueIn(found, list)
    const check = valueIn(checked, list)
    const locals = {
      asked,
      order,
      filtered: Object.keys(asked).length > 0,
      events: items.map((one) => eventOf(one, staff)),
      until: next && items.length === 0 ? placeOf(next, order) : undefined,
      first: cursor ? withQuery(list, here) : undefined,
      next: next && withQuery(list, { ...here, cursor: next }),
      check: { ...check, faults: check.faults.map(inWords) },
    }
    page(ctx, staff, 'admin-audit', locals, { problems })
  })

  // No address alone does it, which a prefetch or a preview would open: taking it along is an act, and written down.
  act(`${list}/csv`, { ...read, page: () => list }, async (ctx, staff, sent) => {
    const asked = z.strictObject(auditFilter).safeParse(askedOf(sent))
    if (!asked.success)
      throw problemOf({ kind: 'rejected', problems: problemsOf(asked.error) }, list)
    const at = seconds(now)
    answer.download(ctx, {
      name: `audit-${new Date(at * 1000).toISOString().slice(0, 10)}.csv`,
      type: 'text/csv; charset=utf-8',
      text: await exportAudit(house, { at, ...staff.by }, asked.data),
    })
  })

  act(`${list}/verify`, { ...read, page: () => list }, async (ctx, staff) => {
    const asked = valueIn(await staff.perform(verifyAuditTrail, {}), list)
    done(ctx, list, asked.began ? 'audit-walking' : 'audit-walks')
  })

  show(`${list}/:chain/:seq`, read, async (ctx, staff) => {
    const { chain = '', seq = '' } = ctx.params
    const found = valueAt(await staff.perform(readAudit, { chain, seq }), list)
    page(ctx, staff, 'admin-event', { event: eventOf(found, staff) })
  })
}

/** What of the filter was filled in. */
const askedOf = (given: Record<string, string | undefined>) =>
  Object.fromEntries(
    fields.flatMap((name) => (given[name]?.trim() ? [[name, given[name].trim()]] : [])),
  )

const eventOf = ({ actor, target, at, ...event }: AuditEventShape, { may }: Staff): ShownEvent => ({
  ...event,
  at: new Date(at),
  href: `${list}/${encodeURIComponent(event.chain)}/${event.seq}`,
  actor: shownOf(actor, may),
  ...(target ? { target: shownOf(target, may) } : {}),
})

/** What stands below a filter that says nonsense. */
const noEvents = { items: [], next: undefined }

/** How far a search came that found nothing. */
const placeOf = (cursor: string, order: Order): Date | undefined => {
  const place = readCursor(cursor, eventPlaceIn(order))
  return place && new Date(place.at * 1000)
}
