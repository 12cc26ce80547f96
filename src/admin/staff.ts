/** Who of the staff may do what, and how far: the one table every page, call and command is held against. */

export const roles = ['owner', 'client-admin', 'reviewer', 'support', 'auditor'] as const
export type Role = (typeof roles)[number]

/** Everybody who has any role may open the console itself. */
const everyRole: readonly Role[] = roles

/**
 * What each role may do. A county narrows what is about people and upstreams, `own` what is about apps; of everything
 * else a role that is narrowed reaches nothing.
 */
export const permissions = {
  'console.open': { roles: everyRole, narrowedBy: ['county', 'own'] },
  'clients.read': { roles: ['owner', 'client-admin', 'support', 'auditor'], narrowedBy: ['own'] },
  'clients.write': { roles: ['owner', 'client-admin'], narrowedBy: ['own'] },
  /** Of people who ask for an app, and of programs that register themselves. */
  'requests.decide': { roles: ['owner', 'client-admin'], narrowedBy: [] },
  'registration.write': { roles: ['owner', 'client-admin'], narrowedBy: [] },
  'people.read': { roles: ['owner', 'support', 'reviewer', 'auditor'], narrowedBy: ['county'] },
  'people.write': { roles: ['owner', 'support'], narrowedBy: ['county'] },
  'people.unmask': { roles: ['owner', 'support', 'reviewer'], narrowedBy: ['county'] },
  'people.import': { roles: ['owner'], narrowedBy: [] },
  'people.export': { roles: ['owner'], narrowedBy: [] },
  'upstreams.read': { roles: ['owner', 'support', 'auditor'], narrowedBy: ['county'] },
  'upstreams.write': { roles: ['owner', 'support'], narrowedBy: ['county'] },
  'keys.read': { roles: ['owner', 'auditor'], narrowedBy: [] },
  'keys.write': { roles: ['owner'], narrowedBy: [] },
  'outbox.read': { roles: ['owner', 'support', 'auditor'], narrowedBy: [] },
  'outbox.write': { roles: ['owner'], narrowedBy: [] },
  'audit.read': { roles: ['owner', 'auditor'], narrowedBy: [] },
  'statistics.read': {
    roles: ['owner', 'client-admin', 'support', 'auditor'],
    narrowedBy: ['county', 'own'],
  },
  'system.read': { roles: ['owner', 'auditor'], narrowedBy: [] },
  'staff.read': { roles: ['owner', 'auditor'], narrowedBy: [] },
  'staff.write': { roles: ['owner'], narrowedBy: [] },
} as const satisfies Record<string, { roles: readonly Role[]; narrowedBy: readonly Narrowing[] }>

export type Permission = keyof typeof permissions
export const everyPermission = Object.keys(permissions) as Permission[]
type Narrowing = 'county' | 'own'

/** The OAuth scope a token needs for it, beside the role. */
export const scopeOf = (permission: Permission): string => `admin:${permission}`

/** A role somebody has: everywhere, at one county, or for the apps she owns. */
export type Grant = { role: Role; reach: GrantReach }
export type GrantReach = '' | 'own' | `county:${string}`

/** The grants among rows of the store. A role or reach this release does not know gives nothing. */
export const grantsOf = (rows: readonly { role: string; reach: string }[]): Grant[] =>
  rows.flatMap(({ role: name, reach }) => {
    const role = roles.find((one) => one === name)
    return role && isGrantReach(reach) ? [{ role, reach }] : []
  })

const isGrantReach = (reach: string): reach is GrantReach =>
  reach === '' || reach === 'own' || reach.startsWith('county:')

/** Whoever acts: somebody at the console, a program with a token, or an operator at the command line. */
export type By = {
  /** As the audit trail names it: an account's id, `client:<id>`, `operator:<name>`. */
  actor: string
  grants: readonly Grant[]
  /** Of the access token; absent where there is none. */
  scopes?: ReadonlySet<string>
  /** She proved herself with both factors just now; programs and operators always are. */
  fresh: boolean
  where: { address?: string; ref?: string }
  /** Of what is written in answer to her. */
  language: string
}

/** What of a kind of thing somebody may reach. */
export type Reach =
  | { kind: 'all' }
  /** People and upstreams of these counties; apps this account owns. */
  | { kind: 'some'; counties: readonly string[]; appsOf?: string }

/** Whether a reach includes this upstream and its people; no reach includes none. */
export const reachesUpstream = (reach: Reach | undefined, connector: string): boolean =>
  reach?.kind === 'all' || (reach?.counties.includes(connector) ?? false)

/** How far `by` reaches with a permission; undefined for not at all. */
export function reachOf(
  by: Pick<By, 'actor' | 'grants' | 'scopes'>,
  permission: Permission,
): Reach | undefined {
  if (by.scopes && !by.scopes.has(scopeOf(permission))) return undefined
  const { roles: allowed, narrowedBy } = permissions[permission]
  const narrows = (kind: Narrowing) => (narrowedBy as readonly Narrowing[]).includes(kind)
  const grants = by.grants.filter(({ role }) => (allowed as readonly Role[]).includes(role))
  if (grants.some(({ reach }) => reach === '')) return { kind: 'all' }
  const counties = narrows('county')
    ? grants.flatMap(({ reach }) => (reach.startsWith('county:') ? [reach.slice(7)] : []))
    : []
  const own = narrows('own') && grants.some(({ reach }) => reach === 'own')
  if (counties.length === 0 && !own) return undefined
  return { kind: 'some', counties, ...(own ? { appsOf: by.actor } : {}) }
}

/** Where a role may be narrowed, and how: what an invitation offers. */
export const narrowings: Record<Role, readonly Narrowing[]> = {
  owner: [],
  'client-admin': ['own'],
  reviewer: ['county'],
  support: ['county'],
  auditor: ['county'],
}

/** Seconds a proof of both factors is fresh enough for a dangerous act: RFC 9470's `max_age`. */
export const freshSeconds = 15 * 60

/**
 * Seconds for which both factors count, whatever she does: a working day. A browser that stays signed in for weeks is not
 * at the console for weeks.
 */
export const provedSeconds = 8 * 60 * 60

/** An operator at the command line: whoever may read the key-encryption key may do everything. */
export const operatorBy = (actor: string): By => ({
  actor,
  grants: [{ role: 'owner', reach: '' }],
  fresh: true,
  where: {},
  language: 'en',
})
