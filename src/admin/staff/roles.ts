/** Who has which role: looked at, given and taken away. */

import { z } from 'zod'
import { accountName } from '#accounts/account-name.ts'
import { isLastOwner } from '#accounts/last-owner.ts'
import { findNamed, type NamedAccount } from '#accounts/named.ts'
import { isoTime } from '#lib/time.ts'
import type { ClientRow, StaffRoleRow, Store, Tables } from '#store/store.ts'
import { type Acting, done, type Outcome, unknown } from '../operation.ts'
import { cutPage, readCursor, strangeCursor } from '../paging.ts'
import type { AdminPorts } from '../ports.ts'
import { grantsOf, type Role } from '../staff.ts'
import { mayGive, problemWith, roleName } from './grants.ts'

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

type Held = [holder: string, rows: StaffRoleRow[]]

const isProgram = ([holder]: Held): boolean => holder.startsWith(program)
const programOf = ([holder]: Held): string => holder.slice(program.length)

/** Four statements, however many they are. */
async function describe(store: Store, held: Held[]): Promise<StaffMember[]> {
  const people = held.filter((one) => !isProgram(one)).map(([holder]) => holder)
  const found = await store.clients.findMany(held.filter(isProgram).map(programOf))
  const clients = new Map(found.map((client) => [client.id, client]))
  const named = await findNamed(store, people)
  const factors = await store.secondFactors.countOf(people)
  return held.map((one) =>
    isProgram(one)
      ? describeProgram(one, clients.get(programOf(one)))
      : describePerson(one, named.get(one[0]), factors.get(one[0])),
  )
}

const rolesOf = (rows: StaffRoleRow[]): StaffMember['roles'] =>
  rows.map(({ role, reach, grantedAt, grantedBy }) => ({
    role: role as Role,
    reach,
    grantedAt: isoTime(grantedAt),
    grantedBy,
  }))

function describeProgram(held: Held, client: ClientRow | undefined): StaffMember {
  const [holder, rows] = held
  const status = !client ? 'gone' : client.disabledAt === undefined ? 'active' : 'disabled'
  const name = String(client?.metadata.client_name ?? programOf(held))
  return { holder, kind: 'program', name, status, roles: rolesOf(rows) }
}

function describePerson(
  [holder, rows]: Held,
  person: NamedAccount | undefined,
  secondFactors = 0,
): StaffMember {
  return {
    holder,
    kind: 'person',
    name: person?.account.profile.name?.value ?? '',
    ...(person ? { account: accountName(person.account, person.names) } : {}),
    status: person?.account.status ?? 'gone',
    secondFactors,
    roles: rolesOf(rows),
  }
}

/** Of whom a list is wanted; of `role` and `county`, one role of hers has to be both. */
export const staffFilter = {
  role: roleName.optional(),
  /** An upstream: who has a role that is narrowed to it. */
  county: z.string().min(1).max(32).optional(),
  /** Part of her name, or of what she signs in with. */
  name: z.string().trim().max(200).optional(),
}
type Wished = { [Name in keyof typeof staffFilter]?: z.output<(typeof staffFilter)[Name]> }

/** In the order of holders’ ids. All are read for each page: there are some dozens. */
export async function listStaff(
  { store }: Pick<AdminPorts, 'store'>,
  { cursor, limit, role, county, name }: Wished & { cursor?: string | undefined; limit: number },
): Promise<Outcome<{ items: StaffMember[]; next?: string }>> {
  const after = cursor === undefined ? [''] : readCursor(cursor, z.tuple([z.string()]))
  if (!after) return strangeCursor
  const byHolder = Map.groupBy(await store.staffRoles.list(), ({ holder }) => holder)
  const isWanted = (row: StaffRoleRow) =>
    (role === undefined || row.role === role) &&
    (county === undefined || row.reach === `county:${county}`)
  const wanted = [...byHolder].filter(
    ([holder, rows]) => holder > (after[0] ?? '') && rows.some(isWanted),
  )
  const described = name
    ? (await describe(store, wanted)).filter((one) => isCalled(one, name))
    : await describe(store, wanted.slice(0, limit + 1))
  return done(cutPage(described, limit, ({ holder }) => [holder]))
}

const isCalled = ({ name, account = '', holder }: StaffMember, wanted: string): boolean =>
  [name, account, ...(holder.startsWith(program) ? [holder] : [])].some((one) =>
    one.toLowerCase().includes(wanted.toLowerCase()),
  )

/** `unknown` for whoever has no role. */
export async function findStaff(
  { store }: Pick<AdminPorts, 'store'>,
  holder: string,
): Promise<Outcome<StaffMember>> {
  const rows = await store.staffRoles.of(holder)
  if (rows.length === 0) return unknown
  const [member] = await describe(store, [[holder, rows]])
  return member ? done(member) : unknown
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
