/** What staff can do about staff: who has which role, who is invited, and who lost her second factor. */
import { z } from 'zod'
import { isMailAddress } from '#lib/mail.ts'
import { done, nothing, type Operation, operation } from '../operation.ts'
import { paged, pageOf } from '../paging.ts'
import { grant, grantReach, roleName } from '../staff/grants.ts'
import { inviteStaff as inviteOne, withdrawInvitation } from '../staff/inviting.ts'
import { resetFactors } from '../staff/resetting.ts'
import {
  findStaff,
  giveRole,
  listInvitations,
  listStaff,
  staffFilter,
  takeRole,
} from '../staff/roles.ts'
import { time } from '../times.ts'

const holder = z.string().min(1).max(64).describe('An account’s id, or `client:<id>`.')

const given = z.object({
  role: roleName,
  reach: z.string(),
  grantedAt: time,
  grantedBy: z.string(),
})

const member = z.object({
  holder: z.string(),
  kind: z.enum(['person', 'program']),
  name: z.string(),
  account: z.string().describe('What she signs in with.').optional(),
  status: z.enum(['active', 'pending', 'suspended', 'closed', 'disabled', 'gone']),
  secondFactors: z.number().int().optional(),
  roles: z.array(given),
})

const invitation = z.object({
  id: z.string(),
  email: z.string(),
  roles: z.array(z.object({ role: roleName, reach: z.string() })),
  holder: z.string().describe('The account it gives a second factor again.').optional(),
  createdAt: time,
  createdBy: z.string(),
  expiresAt: time,
})

export const listStaffMembers = operation({
  id: 'staff.list',
  summary: 'Lists people and programs that have a role.',
  permission: 'staff.read',
  method: 'GET',
  path: '/staff',
  input: z.strictObject({ ...paged, ...staffFilter }),
  output: pageOf(member),
  run: (ports, _by, input) => listStaff(ports, input),
})

export const findStaffMember = operation({
  id: 'staff.get',
  summary: 'Reads what roles somebody has.',
  permission: 'staff.read',
  method: 'GET',
  path: '/staff/{holder}',
  input: z.strictObject({ holder }),
  output: member,
  run: (ports, _by, input) => findStaff(ports, input.holder),
})

export const grantRole = operation({
  id: 'staff.grant',
  summary: 'Gives a role to somebody who is staff already, or to a program.',
  permission: 'staff.write',
  dangerous: true,
  method: 'POST',
  path: '/staff/{holder}/roles',
  input: z.strictObject({ holder, role: roleName, reach: grantReach }),
  output: nothing,
  run: (ports, by, input) => giveRole(ports, by, input),
})

export const revokeRole = operation({
  id: 'staff.revoke',
  summary: 'Takes a role away. The last owner keeps hers.',
  permission: 'staff.write',
  dangerous: true,
  method: 'DELETE',
  path: '/staff/{holder}/roles',
  input: z.strictObject({ holder, role: roleName, reach: grantReach }),
  output: nothing,
  run: (ports, by, input) => takeRole(ports, by, input),
})

export const resetSecondFactors = operation({
  id: 'staff.resetFactors',
  summary:
    'Takes somebody’s second factors away, ends her sessions, and sends staff an invitation to set up new ones.',
  permission: 'staff.write',
  dangerous: true,
  method: 'DELETE',
  path: '/staff/{holder}/factors',
  input: z.strictObject({ holder }),
  output: z.object({ invited: z.boolean() }),
  async run(ports, by, input) {
    const reset = await resetFactors(ports, by, input.holder)
    return reset.kind === 'done' ? done({ invited: reset.value.invited !== undefined }) : reset
  },
})

export const listStaffInvitations = operation({
  id: 'staff.invitations',
  summary: 'Lists invitations that may still be used.',
  permission: 'staff.read',
  method: 'GET',
  path: '/staff-invitations',
  input: z.strictObject({}),
  output: z.object({ items: z.array(invitation) }),
  run: (ports, by) => listInvitations(ports, by.at),
})

export const inviteStaff = operation({
  id: 'staff.invite',
  summary:
    'Invites somebody to become staff: the link goes to her mailbox only, and is good for a week.',
  permission: 'staff.write',
  dangerous: true,
  method: 'POST',
  path: '/staff-invitations',
  input: z.strictObject({
    email: z
      .string()
      .trim()
      .toLowerCase()
      .refine(isMailAddress, { error: 'must be one e-mail address', params: { code: 'email' } }),
    roles: z.array(grant).min(1).max(20),
    language: z.enum(['zh-TW', 'en']).optional().describe('Of the letter.'),
  }),
  output: z.object({ id: z.string(), expiresAt: time }),
  run: (ports, by, input) => inviteOne(ports, by, input),
})

export const removeStaffInvitation = operation({
  id: 'staff.removeInvitation',
  summary: 'Withdraws an invitation.',
  permission: 'staff.write',
  method: 'DELETE',
  path: '/staff-invitations/{id}',
  input: z.strictObject({ id: z.string().max(43) }),
  output: nothing,
  run: (ports, by, input) => withdrawInvitation(ports, by, input.id),
})

export const staffOperations: readonly Operation[] = [
  listStaffMembers,
  findStaffMember,
  grantRole,
  revokeRole,
  resetSecondFactors,
  listStaffInvitations,
  inviteStaff,
  removeStaffInvitation,
]
