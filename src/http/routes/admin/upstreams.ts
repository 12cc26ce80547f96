/** The upstreams at the console: how each fares, closing and opening it, announcements, and trying it out. */

import { findKnown } from '#accounts/rekey.ts'
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
import { reachesUpstream, reachOf } from '#admin/staff.ts'
import { eventKinds, failureNames, type UpstreamDetail } from '#admin/upstreams/shapes.ts'
import type { TestResult } from '#admin/upstreams/tests.ts'
import type { ConnectorConfig } from '#config/connector.ts'
import type { Message } from '#lib/messages.ts'
import type { StaffPage } from '../../admin-views.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { type Fields, oneOf, readQuery } from '../../input.ts'
import { dateIn } from '../account/labels.ts'
import { withQuery } from './addresses.ts'
import type { Staff } from './admission.ts'
import type { Console } from './console.ts'
import { problemOf } from './console-problems.ts'
import { daysOf, eventOf, expiryOf, factsOf, percentOf, stateOf, testOf } from './upstream-pages.ts'
import { openTestTrips, testPath } from './upstream-tests.ts'

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
  const testing = openTestTrips(house)
  const pathOf = ({ id = '' }: Record<string, string>) => `${list}/${encodeURIComponent(id)}`

  show(list, read, async (ctx, staff) => {
    const query = readQuery(ctx)
    const wanted: Shown = oneOf(Object.keys(shown) as Shown[], query.show) ?? 'all'
    const sort = oneOf(upstreamSorts, query.sort) ?? 'order'
    const found = await staff.perform(listUpstreams, {
      ...shown[wanted],
      sort,
      ...(query.cursor ? { cursor: query.cursor } : {}),
    })
    if (found.kind !== 'done') throw problemOf(found, list)
    const { items, next } = found.value
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
    const found = await staff.perform(getUpstream, { id })
    if (found.kind !== 'done') throw problemOf(found, list)
    const query = ctx.method === 'GET' ? readQuery(ctx) : {}
    const kind = oneOf(eventKinds, query.kind)
    const events = await staff.perform(listUpstreamEvents, {
      id,
      limit: 20,
      ...(kind === undefined ? {} : { kind }),
      ...(query.cursor ? { cursor: query.cursor } : {}),
    })
    if (events.kind !== 'done') throw problemOf(events, list)
    const probed = query.probed
    const said = `admin.upstreams.probed.${probed}`
    const more = {
      problems,
      notice:
        notice ?? (probed && messages.has(said) ? { key: said, params: { name: id } } : undefined),
    }
    const locals = await localsOf(ctx, staff, found.value, fields)
    const path = pathOf(ctx.params)
    page(
      ctx,
      staff,
      'admin-upstream',
      {
        ...locals,
        events: events.value.items.map((one) => eventOf(one, messages, ctx.state.language)),
        kind: kind ?? '',
        first: query.cursor ? `${withQuery(path, { kind })}#history` : undefined,
        next:
          events.value.next && `${withQuery(path, { kind, cursor: events.value.next })}#history`,
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

  act(`${list}/:id/probe`, { ...write, page: pathOf }, async (ctx, staff) => {
    const path = pathOf(ctx.params)
    const probed = await staff.perform(probeUpstream, { id: ctx.params.id ?? '' })
    if (probed.kind !== 'done') throw problemOf(probed, path)
    const { answers, failure } = probed.value
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
    if (switched.kind !== 'done') throw problemOf(switched, pathOf(ctx.params))
    done(ctx, pathOf(ctx.params), 'upstream-off')
  })

  act(`${list}/:id/switch-on`, { ...grave, page: pathOf }, async (ctx, staff) => {
    const switched = await staff.perform(switchUpstreamOn, { id: ctx.params.id ?? '' })
    if (switched.kind !== 'done') throw problemOf(switched, pathOf(ctx.params))
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
    if (added.kind !== 'done') throw problemOf(added, pathOf(ctx.params))
    done(ctx, pathOf(ctx.params), 'notice-added')
  })

  act(`${list}/:id/notices/:notice/remove`, { ...write, page: pathOf }, async (ctx, staff) => {
    const { id = '', notice = '' } = ctx.params
    const removed = await staff.perform(removeUpstreamNotice, { id, notice })
    if (removed.kind !== 'done') throw problemOf(removed, pathOf(ctx.params))
    done(ctx, pathOf(ctx.params), 'notice-removed')
  })

  /** The file of one she reaches. */
  async function fileFor(staff: Staff, id: string): Promise<[ConnectorConfig, UpstreamDetail]> {
    const found = await staff.perform(getUpstream, { id })
    if (found.kind !== 'done') throw problemOf(found, list)
    const file = config.connectors.find((one) => one.id === found.value.id)
    if (!file) throw problemOf({ kind: 'unknown' }, list)
    return [file, found.value]
  }

  show(`${list}/:id/test`, write, async (ctx, staff) => {
    const [file, one] = await fileFor(staff, ctx.params.id ?? '')
    // Whoever asks for the head alone does not see it.
    const result =
      ctx.method === 'HEAD' ? undefined : await testing.take(ctx, file.id, staff.account.id)
    const { opening } = one
    const missing = one.facts.missing.join(', ')
    const key = `admin.upstreams.trial.away.${opening}`
    page(
      ctx,
      staff,
      'admin-upstream-test',
      {
        id: file.id,
        label: file.label[ctx.state.language],
        path: testPath(file.id),
        away:
          opening === 'open'
            ? undefined
            : { key, params: opening === 'not-connected' ? { missing } : {} },
        canTest: opening !== 'not-connected',
        result: result && testOf(result, file, await accountOf(staff, file, result), messages),
      },
      { formAction: house.upstreams.opened.get(file.id)?.origins ?? [] },
    )
  })

  /** Whether somebody here is known by it, as far as she may know. */
  async function accountOf(staff: Staff, file: ConnectorConfig, result: TestResult) {
    const may = reachesUpstream(reachOf(staff.by, 'people.read'), file.id)
    if (!may || result.kind !== 'well') return { account: 'hidden' as const }
    const { issuer, subject, former, openid2Ids } = result.said
    const who = { connector: file.id, issuer, subject, former, openid2Ids }
    const known = await findKnown(store, { ...who, profile: {}, affiliations: [], raw: {} })
    return known
      ? { account: 'yes' as const, accountPath: `/admin/people/${known.id}` }
      : { account: 'no' as const }
  }

  act(`${list}/:id/test`, { ...write, page: ({ id = '' }) => testPath(id) }, async (ctx, staff) => {
    const [file] = await fileFor(staff, ctx.params.id ?? '')
    await testing.begin(ctx, file, staff.account.id)
  })
}
