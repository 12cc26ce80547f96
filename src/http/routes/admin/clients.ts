/** Apps: the list, one app's page, its settings, its history and what can be done to it. */

import { clientKinds, clientStates } from '#admin/clients/schema.ts'
import { listClients } from '#admin/operations/clients.ts'
import type { House } from '../../house.ts'
import { oneOf, readQuery } from '../../input.ts'
import { withQuery } from './addresses.ts'
import { clientActs } from './client-acts.ts'
import { clientEditing } from './client-editing.ts'
import { clientHistory } from './client-history.ts'
import { clientsPath, openClientPage } from './client-page.ts'
import type { SortLink } from './clients-views.ts'
import type { Console } from './console.ts'
import { valueIn } from './console-problems.ts'

export function clientRoutes(console: Console, house: House): void {
  const { show, page } = console

  show(clientsPath, { permission: 'clients.read' }, async (ctx, staff) => {
    const query = readQuery(ctx)
    const kind = oneOf(clientKinds, query.kind)
    const state = oneOf(clientStates, query.state)
    const sort = oneOf(['name', 'created', 'updated'] as const, query.sort) ?? 'name'
    const order = oneOf(['ascending', 'descending'] as const, query.order) ?? 'ascending'
    const q = (query.q ?? '').slice(0, 200)
    const { cursor } = query
    const outcome = await staff.perform(listClients, {
      ...(q ? { q } : {}),
      ...(kind ? { kind } : {}),
      ...(state ? { state } : {}),
      ...(cursor ? { cursor } : {}),
      sort,
      order,
    })
    const { items, next } = valueIn(outcome, clientsPath)
    const here = { q, kind: kind ?? '', state: state ?? '', sort, order }
    const linkTo = (more: Record<string, string>) => withQuery(clientsPath, { ...here, ...more })
    /** A click on what it is sorted by turns it round. */
    const sortBy = (by: 'name' | 'created' | 'updated'): SortLink => {
      const turned = order === 'ascending' ? 'descending' : 'ascending'
      const usual = by === 'name' ? 'ascending' : 'descending'
      const href = linkTo({ sort: by, order: sort === by ? turned : usual })
      return { href, sorted: sort === by ? order : undefined }
    }
    page(ctx, staff, 'admin-clients', {
      clients: items.map((one) => ({
        ...one,
        dynamic: one.origin === 'dynamic',
        secretExpiresAt: one.secretExpiresAt ? new Date(one.secretExpiresAt) : undefined,
        createdAt: new Date(one.createdAt),
        updatedAt: new Date(one.updatedAt),
      })),
      q,
      kind: here.kind,
      state: here.state,
      sorts: { name: sortBy('name'), created: sortBy('created'), updated: sortBy('updated') },
      filtered: Boolean(q || kind || state),
      mayWrite: staff.may('clients.write'),
      first: cursor ? linkTo({}) : undefined,
      next: next ? linkTo({ cursor: next }) : undefined,
    })
  })

  clientEditing(console, house)
  const showClient = openClientPage(console, house)
  clientActs(console, house, showClient)
  clientHistory(console, house)
}
