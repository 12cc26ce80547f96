/** Invitations: a letter with a link that makes somebody staff, or gives staff a second factor again. */
import { queueMail } from '#accounts/mail.ts'
import { randomToken, sha256 } from '#lib/crypto.ts'
import type { WriteLetter } from '#lib/letter.ts'
import { day } from '#lib/time.ts'
import type { AuditEvent, StaffInvitationRow, Tables } from '#store/store.ts'
import type { By, Grant } from '../staff.ts'

/** A week: long enough for a holiday, too short to lie forgotten in a mailbox. */
const invitationSeconds = 7 * day

/** As the audit trail names it. */
export const invitationTarget = (id: string) => `invitation:${id}`

export type Inviting = {
  email: string
  roles: readonly { role: Grant['role']; reach: string }[]
  /** For an account that has lost its second factors: what it knows her by. */
  account?: { id: string; name: string }
  language: string
}

export type InvitationPorts = {
  writeLetter: WriteLetter
  /** Where a link leads, the token at its end. */
  linkTo: (token: string) => string
  /** Of the letter, where nobody's name is to be said. */
  title: string
  /** No mail server is set: the link is handed over. */
  unmailed?: boolean
}

export type Invited = { id: string; link: string; expiresAt: number }

/**
 * Makes it, in place of others to the same address, and puts the letter into the outbox. Its link opens the console: it
 * is for the mailbox, and for an operator's screen. No owner sees it, or one could become staff in another's name. Call it
 * inside a transaction.
 */
export async function invite(
  tables: Pick<Tables, 'staffInvitations' | 'accounts' | 'outbox' | 'audit'>,
  by: Pick<By, 'actor' | 'where'>,
  { email, roles, account, language }: Inviting,
  at: number,
  { writeLetter, linkTo, title, unmailed = false }: InvitationPorts,
): Promise<Invited> {
  const token = randomToken()
  const id = sha256(token)
  const expiresAt = at + invitationSeconds
  await tables.staffInvitations.make({
    id,
    email,
    roles: roles.map(({ role, reach }) => ({ role, reach })),
    ...(account ? { accountId: account.id } : {}),
    createdAt: at,
    createdBy: by.actor,
    expiresAt,
  })
  await tables.audit.record(invitationEvent(by, 'staff.invite', at, { id, roles }))
  const link = linkTo(token)
  if (!unmailed) {
    const letter = { to: email, language, link }
    const lasts = invitationSeconds
    const mail = account
      ? writeLetter({
          kind: 'staff-second-factor',
          ...letter,
          params: { account: account.name, lasts },
        })
      : writeLetter({
          kind: 'staff-invitation',
          ...letter,
          params: { by: (await nameOf(tables, by.actor)) ?? title, lasts },
        })
    await queueMail(tables, mail, { at })
  }
  return { id, link, expiresAt }
}

const nameOf = async ({ accounts }: Pick<Tables, 'accounts'>, actor: string) =>
  /^(operator|client):/.test(actor) ? undefined : (await accounts.find(actor))?.profile.name?.value

/** Names the roles, never the address. */
const invitationEvent = (
  { actor, where }: Pick<By, 'actor' | 'where'>,
  action: string,
  at: number,
  { id, roles }: { id: string; roles: Inviting['roles'] },
): AuditEvent => ({
  at,
  actor,
  action,
  target: invitationTarget(id),
  outcome: 'ok',
  ...where,
  details: { roles: roles.map(({ role, reach }) => (reach ? `${role} ${reach}` : role)) },
})

export type FoundInvitation =
  | { kind: 'open'; row: StaffInvitationRow }
  | { kind: 'used' | 'expired' }
  /** Never made, withdrawn, or another one was sent after it. */
  | { kind: 'unknown' }

/** Finds an invitation and whether it may still be used. Changes nothing: mail scanners open links, too. */
export async function findInvitation(
  { staffInvitations }: Pick<Tables, 'staffInvitations'>,
  id: string,
  at: number,
): Promise<FoundInvitation> {
  const row = await staffInvitations.find(id)
  if (!row) return { kind: 'unknown' }
  if (row.usedAt !== undefined) return { kind: 'used' }
  return row.expiresAt > at ? { kind: 'open', row } : { kind: 'expired' }
}
