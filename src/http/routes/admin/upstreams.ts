/** The upstreams at the console: how each fares, closing and opening it, and announcements. */
import {
  addUpstreamNotice,
  getUpstream,
  listUpstreamEvents,
  listUpstreams,
  probeUpstream,
  removeUpstreamNotice,
  switchUpstreamOff,
  switchUpstreamOn,
  upstreamSorts,
} from '#admin/operations/upstreams.ts'
import { eventKinds, failureNames, type UpstreamDetail } from '#admin/upstreams/shapes.ts'
import type { Message } from '#lib/messages.ts'
import type { StaffPage } from '../../admin-views.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { type Fields, oneOf, readQuery } from '../../input.ts'
import { dateIn } from '../account/labels.ts'
import { withQuery } from './addresses.ts'
import type { Staff } from './admission.ts'
import type { Console } from './console.ts'
import { valueIn } from './console-problems.ts'
import { daysOf, eventOf, expiryOf, factsOf, percentOf, stateOf } from './upstream-pages.ts'
import { upstreamTestRoutes } from './upstream-test-pages.ts'

const list = '/admin/upstreams'
const read = { permission: 'upstreams.read' } as const
const write = { permission: 'upstreams.write' } as const
const grave = { ...write, dangerous: true } as const

/** What a list may be narrowed to. */
const shown = {
  all: {},
  ok: { opening: 'open', state: 'ok' },
  slow: { opening: 'open', state: 'slow' },
  down: { opening: 'open', state: 'down' },
  off: { opening: 'off' },
  away: { opening: 'not-connected' },
} as const
type Shown = keyof typeof shown

/** As a form for a moment in Taiwan has it: `2026-12-01T18:00`. */
const inTaiwan = (at: number): string =>
  new Date(at + 8 * 60 * 60 * 1000).toISOString().slice(0, 16)

export function upstreamAdminRoutes(console: Console, house: House): void {
  const { show, act, page, done, problemsFrom } = console
  const { config, store, now, messages } = house
  const pathOf = ({ id = '' }: Record<string, string>) => `${list}/${encodeURIComponent(id)}`

  show(list, read, async (ctx, staff) => {
    const query = readQuery(ctx)
    const wanted: Shown = oneOf(Object.keys(shown) as Shown[], query.show) ?? 'all'
    const sort = oneOf(upstreamSorts, query.sort) ?? 'order'
    const outcome = await staff.perform(listUpstreams, {
      ...shown[wanted],
      sort,
      ...(query.cursor ? { cursor: query.cursor } : {}),
    })
    const { items, next } = valueIn(outcome, list)
    const keep = { show: wanted === 'all' ? undefined : wanted, sort }
    page(ctx, staff, 'admin-upstreams', {
      show: wanted,
      sort,
      upstreams: items.map((one) => ({
        id: one.id,
        label: one.label[ctx.state.language] ?? one.id,
        state: stateOf(one),
        failures: one.failures,
        certificate: expiryOf(one.certificateExpiresAt, now()),
        checkedAt: dateIn(one.checkedAt),
      })),
      links: {
        state: withQuery(list, { ...keep, sort: 'state' }),
        failures: withQuery(list, { ...keep, sort: 'failures' }),
        certificate: withQuery(list, { ...keep, sort: 'certificate' }),
        order: withQuery(list, { ...keep, sort: undefined }),
      },
      first: query.cursor ? withQuery(list, keep) : undefined,
      next: next && withQuery(list, { ...keep, cursor: next }),
      empty: items.length === 0 && wanted === 'all' && !query.cursor,
    })
  })

  type Again = {
    problems?: StaffPage['problems']
    fields?: Fields
    notice?: Message | undefined
  }

  async function showOne(ctx: Context, staff: Staff, { problems, fields, notice }: Again = {}) {
    const id = ctx.params.id ?? ''
    const found = valueIn(await staff.perform(getUpstream, { id }), list)
    const query = ctx.method === 'GET' ? readQuery(ctx) : {}
    const kind = oneOf(eventKinds, query.kind)
    const wanted = {
      id,
      limit: 20,
      ...(kind === undefined ? {} : { kind }),
      ...(query.cursor ? { cursor: query.cursor } : {}),
    }
    const events = valueIn(await staff.perform(listUpstreamEvents, wanted), list)
    const probed = query.probed
    const said = `admin.upstreams.probed.${probed}`
    const more = {
      problems,
      notice:
        notice ?? (probed && messages.has(said) ? { key: said, params: { name: id } } : undefined),
    }
    const locals = await localsOf(ctx, staff, found, fields)
    const path = pathOf(ctx.params)
    page(
      ctx,
      staff,
      'admin-upstream',
      {
        ...locals,
        events: events.items.map((one) => eventOf(one, messages, ctx.state.language)),
        kind: kind ?? '',
        first: query.cursor ? `${withQuery(path, { kind })}#history` : undefined,
        next: events.next && `${withQuery(path, { kind, cursor: events.next })}#history`,
      },
      more,
    )
  }

  async function localsOf(ctx: Context, staff: Staff, one: UpstreamDetail, fields: Fields = {}) {
    const { availability, switchedOff } = one
    const days = daysOf(availability.days)
    const [hour, later] = [now() + 60 * 60 * 1000, now() + 3 * 60 * 60 * 1000]
    return {
      id: one.id,
      label: one.label[ctx.state.language] ?? one.id,
      path: pathOf(ctx.params),
      mayWrite: staff.may('upstreams.write'),
      connected: one.opening !== 'not-connected',
      state: stateOf(one),
      took: one.took,
      checkedAt: dateIn(one.checkedAt),
      switchedOff: switchedOff && {
        at: new Date(switchedOff.at),
        by: await nameOf(staff, switchedOff.by),
        reason: switchedOff.reason,
      },
      reason: fields.reason ?? '',
      errors: one.failuresBy.map(({ failure, count, last }) => ({
        failure,
        count,
        last: new Date(last),
      })),
      atLeast: one.failures.atLeast,
      contact: one.facts.contact,
      share: availability.share === undefined ? undefined : percentOf(availability.share),
      days,
      knownDays: days.filter(({ share }) => share !== undefined).length,
      badDays: days.filter(({ down }) => down > 0).length,
      certificates: one.certificates.map(({ of, name, expiresAt }) => {
        const at = new Date(expiresAt)
        const { soon = false } = expiryOf(expiresAt, now()) ?? {}
        const over = at.getTime() <= now()
        return { whoseKey: `admin.upstreams.certificates.${of}`, name, at, soon, over }
      }),
      notices: one.notices.map(({ id, text, from, until }) => ({
        id,
        text,
        from: new Date(from),
        until: new Date(until),
      })),
      typed: {
        zh: fields.zh ?? '',
        en: fields.en ?? '',
        from: fields.from ?? inTaiwan(hour),
        until: fields.until ?? inTaiwan(later),
      },
      facts: factsOf(one),
      addresses: one.addresses,
    }
  }

  /** A colleague's name, for whoever may see who is of the staff. */
  async function nameOf(staff: Staff, actor: string): Promise<string> {
    const account = staff.may('staff.read') ? await store.accounts.find(actor) : undefined
    return account?.profile.name?.value ?? actor
  }

  show(`${list}/:id`, read, (ctx, staff) => showOne(ctx, staff))
  upstreamTestRoutes(console, house)

  act(`${list}/:id/probe`, { ...write, page: pathOf }, async (ctx, staff) => {
    const path = pathOf(ctx.params)
    const outcome = await staff.perform(probeUpstream, { id: ctx.params.id ?? '' })
    const { answers, failure } = valueIn(outcome, path)
    const what = answers ? 'answers' : (oneOf(failureNames, failure) ?? 'nonsense')
    house.answer.redirect(ctx, withQuery(path, { probed: what }))
  })

  act(`${list}/:id/switch-off`, { ...grave, page: pathOf }, async (ctx, staff, fields) => {
    const id = ctx.params.id ?? ''
    const { confirm = '', reason = '' } = fields
    const named = config.connectors.find((one) => one.id === id)?.label ?? {}
    if (!Object.values(named).includes(confirm.trim())) {
      const field = 'switch-off-confirm'
      return showOne(ctx, staff, {
        problems: [{ field, problem: 'admin.problem.confirm' }],
        fields,
      })
    }
    const switched = await staff.perform(switchUpstreamOff, { id, reason })
    if (switched.kind === 'rejected')
      return showOne(ctx, staff, { problems: problemsFrom(switched.problems), fields })
    valueIn(switched, pathOf(ctx.params))
    done(ctx, pathOf(ctx.params), 'upstream-off')
  })

  act(`${list}/:id/switch-on`, { ...grave, page: pathOf }, async (ctx, staff) => {
    valueIn(await staff.perform(switchUpstreamOn, { id: ctx.params.id ?? '' }), pathOf(ctx.params))
    done(ctx, pathOf(ctx.params), 'upstream-on')
  })

  act(`${list}/:id/notices`, { ...write, page: pathOf }, async (ctx, staff, fields) => {
    const { zh = '', en = '', from = '', until = '' } = fields
    const added = await staff.perform(addUpstreamNotice, {
      id: ctx.params.id ?? '',
      text: { 'zh-TW': zh, en },
      from,
      until,
    })
    if (added.kind === 'rejected') {
      const named: Record<string, string> = { 'text.zh-TW': 'zh', 'text.en': 'en' }
      const problems = problemsFrom(added.problems).map(({ field = '', problem }) => ({
        field: named[field] ?? field,
        problem,
      }))
      return showOne(ctx, staff, { problems, fields })
    }
    valueIn(added, pathOf(ctx.params))
    done(ctx, pathOf(ctx.params), 'notice-added')
  })

  act(`${list}/:id/notices/:notice/remove`, { ...write, page: pathOf }, async (ctx, staff) => {
    const { id = '', notice = '' } = ctx.params
    valueIn(await staff.perform(removeUpstreamNotice, { id, notice }), pathOf(ctx.params))
    done(ctx, pathOf(ctx.params), 'notice-removed')
  })
}
