/** What staff can do about people who ask for an app. */
import { z } from 'zod'
import { type RequestState, requestStates } from '#store/client-requests.ts'
import { mostVersions } from '../clients/history.ts'
import { done, type Operation, operation } from '../operation.ts'
import {
  byAgeIn,
  cutPage,
  type Order,
  orders,
  paged,
  pageOf,
  readCursor,
  strangeCursor,
} from '../paging.ts'
import { approve, refuse } from '../requests/decide.ts'
import { listed, listedRequest, shown, shownRequest } from '../requests/shown.ts'

const id = z.string().min(1).max(100)

/** Who waits longest is answered first. */
export const usualOrder = (state: RequestState): Order =>
  state === 'waiting' ? 'oldest' : 'newest'

export const listRequests = operation({
  id: 'requests.list',
  summary:
    'Lists requests for apps. If no order is said: of those that wait the oldest first, of all others the newest.',
  permission: 'requests.decide',
  method: 'GET',
  path: '/requests',
  input: z.strictObject({
    ...paged,
    state: z.enum(requestStates).default('waiting'),
    order: z.enum(orders).optional(),
  }),
  output: pageOf(listedRequest),
  async run({ store }, _by, { cursor, limit, state, order = usualOrder(state) }) {
    const after = cursor === undefined ? undefined : readCursor(cursor, byAgeIn(order))
    if (cursor !== undefined && !after) return strangeCursor
    const rows = await store.clientRequests.list({ state, order }, after, limit + 1)
    const page = cutPage(rows, limit, (row) => [order, row.createdAt, row.id])
    return done({ ...page, items: await listed(store, page.items) })
  },
})

export const getRequest = operation({
  id: 'requests.get',
  summary: 'Reads one request: what is asked for, what for, and what would change.',
  permission: 'requests.decide',
  method: 'GET',
  path: '/requests/{id}',
  input: z.strictObject({ id }),
  output: shownRequest,
  async run(ports, _by, { id }) {
    const row = await ports.store.clientRequests.find(id)
    return row ? done(await shown(ports, row)) : { kind: 'unknown' }
  },
})

export const approveRequest = operation({
  id: 'requests.approve',
  summary:
    'Registers or changes the app as it was asked for, or with other scopes; she is told by mail.',
  permission: 'requests.decide',
  dangerous: true,
  method: 'POST',
  path: '/requests/{id}/approval',
  input: z.strictObject({
    id,
    scopes: z.array(z.string().min(1).max(100)).max(100).optional(),
    /** Of the app that would change, as it was looked at. */
    version: z.coerce.number().int().min(1).max(mostVersions).optional(),
  }),
  output: z.object({ id: z.string(), clientId: z.string() }),
  run: approve,
})

export const refuseRequest = operation({
  id: 'requests.refuse',
  summary: 'Refuses a request, and says why: she reads it.',
  permission: 'requests.decide',
  method: 'POST',
  path: '/requests/{id}/refusal',
  input: z.strictObject({
    id,
    reason: z.string().trim().min(1, 'must not be empty').max(1000),
  }),
  output: z.object({ id: z.string() }),
  run: refuse,
})

export const requestsOperations: readonly Operation[] = [
  listRequests,
  getRequest,
  approveRequest,
  refuseRequest,
]
