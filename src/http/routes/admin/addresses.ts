/** Where things are at the console, as far as she may go there. */
import type { Permission } from '#admin/staff.ts'
import { ownClientIds } from '#oidc/provider.ts'
import type { Shown } from './operations-views.ts'

/** A path with what is said of a query. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>) {
  const given = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []))
  return given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path
}

/** The page of each kind of thing the audit trail speaks of, and what one must be let to see it. */
const pages: Record<string, { path: (key: string) => string; permission: Permission }> = {
  person: { path: (key) => `/admin/people/${key}`, permission: 'people.read' },
  client: { path: (key) => `/admin/clients/${key}`, permission: 'clients.read' },
  key: { path: () => '/admin/keys', permission: 'keys.read' },
  message: { path: (key) => `/admin/outbox/${key}`, permission: 'outbox.read' },
  connector: { path: (key) => `/admin/upstreams/${key}`, permission: 'upstreams.read' },
}

/** An id with a link to its page, where there is one she may open. */
export function shownOf(
  { id, what, key, name }: { id: string; what: string; key: string; name?: string | undefined },
  may: (permission: Permission) => boolean,
): Shown {
  const page = Object.hasOwn(pages, what) ? pages[what] : undefined
  const there = page && !(what === 'client' && ownClientIds.has(key))
  const href = there && may(page.permission) ? page.path(encodeURIComponent(key)) : undefined
  return { id, ...(name === undefined ? {} : { name }), ...(href ? { href } : {}) }
}
