/** The end of accepting an invitation: account, second factor and roles are kept at once, or nothing is. */
import { type ConfirmationPorts, sendConfirmation } from '#accounts/address-confirmation.ts'
import { putLocalAccount } from '#accounts/local.ts'
import { recoveryDigest } from '#accounts/second-factor/recovery-codes.ts'
import { tell } from '#accounts/tell.ts'
import type { Circumstances, StaffInvitationRow, Tables } from '#store/store.ts'
import { keptOrTakenBack } from '../together.ts'
import {
  type Acceptance,
  type AcceptancePorts,
  type Accepted,
  keepAccepted,
  type Place,
} from './acceptance.ts'
import { isOperator, mayGive } from './grants.ts'
import { findInvitation, invitationTarget } from './invitations.ts'

type Finishing = {
  acceptance: Acceptance
  /** Whoever is signed in, where she accepts with the account she has. */
  session?: { accountId: string; proved: boolean }
  at: number
  language: string
  where: Circumstances
}

export type Finished =
  /** `anew`: her session does not stand on both factors yet. */
  | { kind: 'accepted'; accountId: string; anew: boolean }
  /** Somebody else has the name by now. */
  | { kind: 'taken' }
  /** Whoever sent it may not give these roles any more. */
  | { kind: 'void' }
  | { kind: 'used' | 'expired' | 'unknown' }
  /** Another account than it is for. */
  | { kind: 'other-account' }
  /** Of staff who lost her second factors, and not for her. */
  | { kind: 'lost-factor' }
  /** Something about her account has changed: she goes through it once more. */
  | { kind: 'again' }

/**
 * She has a role and no second factor: she makes one by the link that was sent for her account alone. With any other
 * invitation whoever knows her password could set up a second factor of his own.
 */
export async function needsOwnLink(
  { secondFactors, staffRoles }: Pick<Tables, 'secondFactors' | 'staffRoles'>,
  { accountId: meant }: Pick<StaffInvitationRow, 'accountId'>,
  accountId: string,
): Promise<boolean> {
  if (meant === accountId) return false
  if ((await secondFactors.ofAccount(accountId)).length > 0) return false
  return (await staffRoles.of(accountId)).length > 0
}

type FinishPorts = AcceptancePorts & ConfirmationPorts

/** Account, second factor, recovery codes and roles, and the invitation used up: of several browsers exactly one. */
export const finishAcceptance = (
  ports: FinishPorts,
  place: Place,
  finishing: Finishing,
): Promise<Finished> =>
  keptOrTakenBack<Finished>(ports.store, (tables, takeBack) =>
    finish({ ...ports, tables, takeBack }, place, finishing),
  )

async function finish(
  ports: FinishPorts & { tables: Tables; takeBack: (finished: Finished) => never },
  place: Place,
  { acceptance, session, at, language, where }: Finishing,
): Promise<Finished> {
  const { tables, takeBack, dataKey, writeLetter } = ports
  const { who, made } = acceptance
  const accountId = who.kind === 'new' ? who.accountId : session?.accountId
  if (accountId === undefined || (made && made.accountId !== accountId)) return { kind: 'again' }
  // First the account, then who owns everything: as everybody does who holds both.
  const member = who.kind === 'new' ? undefined : await tables.accounts.lock(accountId)
  if (who.kind === 'member' && member?.status !== 'active') return { kind: 'again' }
  const found = await findInvitation(tables, place.invitation, at)
  if (found.kind !== 'open') return { kind: found.kind }
  const { row } = found
  if (row.accountId !== undefined && row.accountId !== accountId) return { kind: 'other-account' }
  if (await needsOwnLink(tables, row, accountId)) return { kind: 'lost-factor' }
  if (!(await mayGive(tables, row.createdBy))) return { kind: 'void' }
  if (!(await tables.staffInvitations.use(row.id, accountId, at))) return { kind: 'used' }

  const event = { at, actor: accountId, outcome: 'ok', ...where }
  if (who.kind === 'new') {
    const { account, name, secret } = who
    const wanted = { accountId, account, name, secret, by: 'self' }
    if (!(await putLocalAccount(tables, wanted, at))) return takeBack({ kind: 'taken' })
    await keepAddress(tables, row, { accountId, at, language }, ports)
    await tables.audit.record({ ...event, action: 'account.create', target: accountId })
  }
  const has = (await tables.secondFactors.ofAccount(accountId)).length > 0
  // Whoever has a factor shows it and does not add another one here; whoever has none must have made one.
  if (has ? made || !session?.proved : !made) return takeBack({ kind: 'again' })
  if (made) {
    if (!(await tables.secondFactors.add({ ...made.factor, accountId, createdAt: at })))
      return takeBack({ kind: 'again' })
    const digests = made.codes.map((code) => recoveryDigest(dataKey, accountId, code))
    await tables.recoveryCodes.replace(accountId, digests, at)
    const details = { type: made.factor.type, invitation: row.id }
    await tables.audit.record({ ...event, action: 'factor.add', target: accountId, details })
    if (member) {
      await tell(tables, member, { at, language }, (her) =>
        writeLetter({ kind: 'factor-added', ...her }),
      )
    }
  }
  const grantedBy = row.createdBy
  for (const { role, reach } of row.roles) {
    await tables.staffRoles.grant({ holder: accountId, role, reach, grantedAt: at, grantedBy })
  }
  const details = { roles: row.roles, invitedBy: row.createdBy }
  const target = invitationTarget(row.id)
  await tables.audit.record({ ...event, action: 'staff.accept', target, details })

  const accepted: Accepted = {
    accountId,
    amr: [...(who.kind === 'new' ? ['pwd'] : []), ...(made ? [made.amr] : []), 'mfa'],
    at,
  }
  await keepAccepted(tables, place, accepted, dataKey)
  return { kind: 'accepted', accountId, anew: made !== undefined }
}

/**
 * Keeps the invitation's address as confirmed if its link went there and nowhere else. A link an operator saw proves
 * nothing: a letter asks for confirmation, and until then nothing else is sent there, no new password either.
 */
async function keepAddress(
  tables: Tables,
  { email, createdBy }: StaffInvitationRow,
  { accountId, at, language }: { accountId: string; at: number; language: string },
  ports: ConfirmationPorts,
): Promise<void> {
  if (isOperator(createdBy)) {
    return sendConfirmation(tables, { accountId, at, address: email, language }, ports)
  }
  await tables.recoveryAddresses.put({ accountId, value: email, confirmedAt: at, createdAt: at })
}
