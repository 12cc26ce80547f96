/** An owner sends an invitation, or withdraws one. */

import { isoTime } from '#lib/time.ts'
import { type Acting, done, type Outcome, unknown } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import type { Grant } from '../staff.ts'
import { problemWith } from './grants.ts'
import { type InvitationPorts, type Invited, invitationTarget, invite } from './invitations.ts'

export const invitationPath = '/admin/invitation'

/** `unmailed`: no mail server is set, the link is handed over. */
export const invitationPorts = (
  { config, writeLetter }: Pick<AdminPorts, 'config' | 'writeLetter'>,
  language: string,
  unmailed = false,
): InvitationPorts => ({
  writeLetter,
  linkTo: (token) => `${config.issuer}${invitationPath}/${token}`,
  title: (config.site.title as Record<string, string>)[language] ?? config.site.title['zh-TW'],
  unmailed,
})

export type WantedInvitation = {
  email: string
  roles: { role: Grant['role']; reach: string }[]
  language?: string | undefined
}

type Ports = Pick<AdminPorts, 'config' | 'store' | 'writeLetter'>
type By = Pick<Acting, 'actor' | 'where' | 'language' | 'at'>

/** The link in the answer is for an operator's screen: the operation's output leaves it out. */
export async function inviteStaff(
  ports: Ports,
  by: By,
  { email, roles, language = by.language }: WantedInvitation,
  { unmailed = false } = {},
): Promise<Outcome<{ id: string; expiresAt: string; link: string }>> {
  const problems = roles.flatMap((one, i) => problemWith(one, ports.config, `roles.${i}`) ?? [])
  if (problems.length > 0) return { kind: 'rejected', problems }
  const { id, expiresAt, link }: Invited = await ports.store.transaction((tables) =>
    invite(
      tables,
      by,
      { email, roles, language },
      by.at,
      invitationPorts(ports, language, unmailed),
    ),
  )
  return done({ id, expiresAt: isoTime(expiresAt), link })
}

/** From then on its link opens nothing. `unknown` also where it was used. */
export async function withdrawInvitation(
  { store }: Pick<Ports, 'store'>,
  { actor, where, at }: By,
  id: string,
): Promise<Outcome<Record<string, never>>> {
  return store.transaction(async (tables) => {
    if (!(await tables.staffInvitations.remove(id))) return unknown
    const event = { action: 'staff.withdraw-invitation', target: invitationTarget(id) }
    await tables.audit.record({ at, actor, ...event, outcome: 'ok', ...where })
    return done({})
  })
}
