/** What people ask for who have no staff role: the queue, and one request with what is to be decided. */
import { apiScopes } from '#admin/clients/judge.ts'
import {
  approveRequest,
  getRequest,
  listRequests,
  refuseRequest,
  usualOrder,
} from '#admin/operations/requests.ts'
import { orders } from '#admin/paging.ts'
import { requestStates } from '#admin/requests/shown.ts'
import type { Context } from '../../context.ts'
import type { House } from '../../house.ts'
import { type Fields, oneOf, readQuery } from '../../input.ts'
import { withQuery } from './addresses.ts'
import type { Staff } from './admission.ts'
import type { ShownWish } from './app-life-views.ts'
import { offeredScopes } from './client-form.ts'
import type { Console } from './console.ts'
import { problemOf, valueIn } from './console-problems.ts'

const path = '/admin/requests'
const permission = 'requests.decide'
const pathOf = (id: string | undefined) => `${path}/${encodeURIComponent(id ?? '')}`

/** In the order of the form. */
const wishFields = [
  'nameEn',
  'redirectUris',
  'postLogoutRedirectUris',
  'backchannelLogoutUri',
  'clientUri',
  'policyUri',
  'tosUri',
  'contacts',
] as const

/** What was asked for and is not empty, in the order of the form. */
export const wishesOf = (wanted: Record<string, unknown>): ShownWish[] =>
  wishFields.flatMap((field) => {
    const value = wanted[field]
    const values = Array.isArray(value) ? value.map(String) : value ? [String(value)] : []
    return values.length > 0 ? [{ key: `admin.wish.${field}`, values }] : []
  })

export function requestRoutes(
  { show, act, page, done, problemsFrom }: Console,
  house: House,
): void {
  show(path, { permission }, async (ctx, staff) => {
    const query = readQuery(ctx)
    const state = oneOf(requestStates, query.state) ?? 'waiting'
    const order = oneOf(orders, query.order) ?? usualOrder(state)
    const { cursor } = query
    const asked = { state, order, ...(cursor ? { cursor } : {}) }
    const found = await staff.perform(listRequests, asked)
    const { items, next } = valueIn(found, path)
    page(ctx, staff, 'admin-requests', {
      state,
      order,
      requests: items.map((one) => ({
        ...one,
        createdAt: new Date(one.createdAt),
        decidedAt: one.decidedAt ? new Date(one.decidedAt) : undefined,
      })),
      first: cursor ? withQuery(path, { state, order }) : undefined,
      next: next && withQuery(path, { state, order, cursor: next }),
    })
  })

  async function showRequest(
    ctx: Context,
    staff: Staff,
    { fields, ...more }: Parameters<typeof page>[4] & { fields?: Fields } = {},
  ) {
    const found = await staff.perform(getRequest, { id: ctx.params.id ?? '' })
    const { wanted, differences, ...request } = valueIn(found, path)
    const asked = wanted?.scopes ?? []
    const offered = offeredScopes(house, ctx.state.language, request.kind)
    page(
      ctx,
      staff,
      'admin-request',
      {
        request: {
          ...request,
          createdAt: new Date(request.createdAt),
          decidedAt: request.decidedAt ? new Date(request.decidedAt) : undefined,
        },
        wishes: wishesOf(wanted ?? {}),
        differences,
        scopes: offered
          .filter(({ scope }) => asked.includes(scope))
          .map(({ scope, label }) => ({
            scope,
            label,
            ticked: fields ? Boolean(fields[`scope.${scope}`]) : true,
          })),
        purposes: Object.entries(wanted?.purposes ?? {}).flatMap(([scope, words]) => {
          const text = words['zh-TW'] ?? words.en
          return text ? [{ scope, text }] : []
        }),
        reason: fields?.reason ?? '',
        actions: {
          approve: `${pathOf(request.id)}/approve`,
          refuse: `${pathOf(request.id)}/refuse`,
        },
      },
      more,
    )
  }

  show(`${path}/:id`, { permission }, (ctx, staff) => showRequest(ctx, staff))

  const rules = { permission, page: ({ id }: Record<string, string>) => pathOf(id) } as const

  act(`${path}/:id/approve`, { ...rules, dangerous: true }, async (ctx, staff, fields) => {
    const id = ctx.params.id ?? ''
    const found = valueIn(await staff.perform(getRequest, { id }), path)
    const asked = found.wanted?.scopes ?? []
    const scopes = asked.filter(
      (scope) => scope === 'openid' || (fields[`scope.${scope}`] && !apiScopes.includes(scope)),
    )
    const { version } = fields
    const outcome = await staff.perform(approveRequest, {
      id,
      scopes,
      ...(version ? { version } : {}),
    })
    if (outcome.kind === 'done') return done(ctx, pathOf(id), 'request-approved')
    if (outcome.kind !== 'rejected') throw problemOf(outcome, pathOf(id))
    const problems = problemsFrom(outcome.problems)
    await showRequest(ctx, staff, { fields, problems })
  })

  act(`${path}/:id/refuse`, rules, async (ctx, staff, fields) => {
    const id = ctx.params.id ?? ''
    const { reason = '' } = fields
    const outcome = await staff.perform(refuseRequest, { id, reason })
    if (outcome.kind === 'done') return done(ctx, pathOf(id), 'request-refused')
    if (outcome.kind !== 'rejected') throw problemOf(outcome, pathOf(id))
    await showRequest(ctx, staff, { fields, problems: problemsFrom(outcome.problems) })
  })
}
