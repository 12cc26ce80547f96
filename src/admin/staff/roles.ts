/** Who has which role: looked at, given and taken away. */

import { z } from 'zod'
import { accountName } from '#accounts/account-name.ts'
import { isLastOwner } from '#accounts/last-owner.ts'
import { isoTime } from '#lib/time.ts'
import type { StaffRoleRow, Store, Tables } from '#store/store.ts'
import { type Acting, done, type Outcome, unknown } from '../operation.ts'
import { cutPage, readCursor, strangeCursor } from '../paging.ts'
import type { AdminPorts } from '../ports.ts'
import { grantsOf, type Role } from '../staff.ts'
import { mayGive, problemWith } from './grants.ts'

export type StaffMember = {
  holder: string
  kind: 'person' | 'program'
  name: string
  account?: string
  status: 'active' | 'pending' | 'suspended' | 'closed' | 'disabled' | 'gone'
  secondFactors?: number
  roles: { role: Role; reach: string; grantedAt: string; grantedBy: string }[]
}

const program = 'client:'

async function describe(store: Store, holder: string, rows: StaffRoleRow[]): Promise<StaffMember> {
  const roles = rows.map(({ role, reach, grantedAt, grantedBy }) => ({
    role: role as Role,
    reach,
    grantedAt: isoTime(grantedAt),
    grantedBy,
  }))
  if (holder.startsWith(program)) {
    const client = await store.clients.find(holder.slice(program.length))
    const status = !client ? 'gone' : client.disabledAt === undefined ? 'active' : 'disabled'
    const name = String(client?.metadata.client_name ?? holder.slice(program.length))
    return { holder, kind: 'program', name, status, roles }
  }
  const [account, names, factors] = await Promise.all([
    store.accounts.find(holder),
    store.identifiers.ofAccount(holder),
    store.secondFactors.ofAccount(holder),
  ])
  return {
    holder,
    kind: 'person',
    name: account?.profile.name?.value ?? '',
    ...(account ? { account: accountName(account, names) } : {}),
    status: account?.status ?? 'gone',
    secondFactors: factors.length,
    roles,
  }
}

/** In the order of holders’ ids. All are read for each page: there are some dozens. */
export async function listStaff(
  { store }: Pick<AdminPorts, 'store'>,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<Outcome<{ items: StaffMember[]; next?: string }>> {
  const after = cursor === undefined ? [''] : readCursor(cursor, z.tuple([z.string()]))
  if (!after) return strangeCursor
  const byHolder = Map.groupBy(await store.staffRoles.list(), ({ holder }) => holder)
  const wanted = [...byHolder].filter(([holder]) => holder > (after[0] ?? '')).slice(0, limit + 1)
  const { items, next } = cutPage(wanted, limit, ([holder]) => [holder])
  const described = await Promise.all(items.map(([holder, rows]) => describe(store, holder, rows)))
  return done({ items: described, ...(next ? { next } : {}) })
}

/** `unknown` for whoever has no role. */
export async function findStaff(
  { store }: Pick<AdminPorts, 'store'>,
  holder: string,
): Promise<Outcome<StaffMember>> {
  const rows = await store.staffRoles.of(holder)
  return rows.length === 0 ? unknown : done(await describe(store, holder, rows))
}

/** Those that may still be used, the newest first. */
export async function listInvitations({ store }: Pick<AdminPorts, 'store'>, at: number) {
  const rows = await store.staffInvitations.open(at)
  const items = rows.map(({ id, email, roles, accountId, createdAt, createdBy, expiresAt }) => ({
    id,
    email,
    roles: grantsOf(roles),
    ...(accountId ? { holder: accountId } : {}),
    createdAt: isoTime(createdAt),
    createdBy,
    expiresAt: isoTime(expiresAt),
  }))
  return done({ items })
}

/** Whoever acts is no owner any more: another owner took the role away a moment ago. */
export const notOwner = { kind: 'refused', why: 'staff.not-owner' } as const

type Wanted = { holder: string; role: Role; reach: string }

/**
 * Gives a role. A person without one has to be invited instead: whoever knows her password may have set up a second
 * factor of his own, while an invitation goes to her mailbox.
 */
export async function giveRole(
  { store, config }: Pick<AdminPorts, 'store' | 'config'>,
  by: Acting,
  { holder, role, reach }: Wanted,
): Promise<Outcome<Record<string, never>>> {
  const problem = problemWith({ role, reach }, config, 'reach')
  if (problem) return { kind: 'rejected', problems: [problem] }
  return store.transaction(async (tables) => {
    const barred = await barredFrom(tables, holder)
    if (barred) return barred
    if (!(await mayGive(tables, by.actor))) return notOwner
    const row = { holder, role, reach, grantedAt: by.at, grantedBy: by.actor }
    if (await tables.staffRoles.grant(row)) {
      await tables.audit.record(roleEvent(by, 'staff.grant', { holder, role, reach }))
    }
    return done({})
  })
}

/** Why this holder cannot be given a role; undefined where nothing is in the way. */
async function barredFrom(
  { accounts, clients, staffRoles }: Tables,
  holder: string,
): Promise<Exclude<Outcome<never>, { kind: 'done' }> | undefined> {
  if (holder.startsWith(program)) {
    return (await clients.find(holder.slice(program.length))) ? undefined : unknown
  }
  const account = await accounts.lock(holder)
  if (account?.status !== 'active') return unknown
  if ((await staffRoles.of(holder)).length > 0) return undefined
  return { kind: 'refused', why: 'staff.invite-first' }
}

/** Takes a role away. It counts from her next request: roles are read at each. */
export async function takeRole(
  { store }: Pick<AdminPorts, 'store'>,
  by: Acting,
  { holder, role, reach }: Wanted,
): Promise<Outcome<Record<string, never>>> {
  return store.transaction(async (tables) => {
    if (!(await mayGive(tables, by.actor))) return notOwner
    const isWhole = role === 'owner' && reach === ''
    if (isWhole && (await isLastOwner(tables, holder)))
      return { kind: 'refused', why: 'staff.last-owner' }
    if (!(await tables.staffRoles.revoke({ holder, role, reach }))) return unknown
    await tables.audit.record(roleEvent(by, 'staff.revoke', { holder, role, reach }))
    return done({})
  })
}

const roleEvent = (
  { at, actor, where }: Acting,
  action: string,
  { holder, role, reach }: Wanted,
) => ({ at, actor, action, target: holder, outcome: 'ok', ...where, details: { role, reach } })
