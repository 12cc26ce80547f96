/** Somebody lost her second factors and her codes: another owner takes them away, and she sets up new ones. */
import { accountName } from '#accounts/account-name.ts'
import { addressesOf } from '#accounts/mail-addresses.ts'
import { tell } from '#accounts/tell.ts'
import { endAll } from '../ending.ts'
import { type Acting, done, type Outcome, unknown } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { mayGive } from './grants.ts'
import { type Invited, invite } from './invitations.ts'
import { invitationPorts } from './inviting.ts'
import { notOwner } from './roles.ts'

type Ports = Pick<AdminPorts, 'config' | 'store' | 'writeLetter'>

/**
 * Removes her factors and codes and ends every session. Staff get an invitation to set up new ones: otherwise a stolen
 * password would be enough for that. An operator may do it to anybody, and gets the link where no mail is sent.
 */
export async function resetFactors(
  { config, store, writeLetter }: Ports,
  by: Acting,
  holder: string,
  { unmailed = false } = {},
): Promise<Outcome<{ invited?: Invited }>> {
  if (holder === by.actor) return { kind: 'refused', why: 'staff.self' }
  return store.transaction(async (tables) => {
    const account = await tables.accounts.lock(holder)
    if (!account) return unknown
    if (!(await mayGive(tables, by.actor))) return notOwner
    const roles = await tables.staffRoles.of(holder)
    const names = await tables.identifiers.ofAccount(holder)
    const [email] = await addressesOf(tables, account, names)
    if (roles.length > 0 && email === undefined && !unmailed)
      return { kind: 'refused', why: 'staff.no-address' }
    const removed = await tables.secondFactors.removeAll(holder)
    if (removed === 0 && roles.length === 0) return unknown
    await tables.recoveryCodes.removeAll(holder)
    const sessionsEnded = await endAll(tables, holder, by.at)
    const { at, actor, where, language } = by
    await tables.audit.record({
      at,
      actor,
      action: 'staff.reset-factors',
      target: holder,
      outcome: 'ok',
      ...where,
      details: { factors: removed, sessionsEnded },
    })
    await tell(tables, account, { at, language }, (her) =>
      writeLetter({ kind: 'factors-reset', ...her }),
    )
    if (roles.length === 0) return done({})
    const name = accountName(account, names) || holder.slice(0, 8)
    const wanted = { email: email ?? '', roles: [], account: { id: holder, name }, language }
    const ports = invitationPorts({ config, writeLetter }, language, unmailed)
    return done({ invited: await invite(tables, by, wanted, at, ports) })
  })
}
