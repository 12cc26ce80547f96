/**
 * Somebody accepts an invitation: an account, a second factor, the roles. What she has done so far waits, sealed, for her
 * and this browser; at the end all of it is kept at once, or nothing.
 */
import { randomUUID } from 'node:crypto'
import { type ConfirmationPorts, sendConfirmation } from '#accounts/address-confirmation.ts'
import { putLocalAccount } from '#accounts/local.ts'
import { type PasskeyPorts, readNewPasskey, type Signed } from '#accounts/second-factor/passkeys.ts'
import { makeRecoveryCodes, recoveryDigest } from '#accounts/second-factor/recovery-codes.ts'
import { beginSetUp, confirmSetUp, type NewFactor } from '#accounts/second-factor/set-up.ts'
import { tell } from '#accounts/tell.ts'
import { seal, sha256, unseal } from '#lib/crypto.ts'
import type { Circumstances, StaffInvitationRow, Store, Tables } from '#store/store.ts'
import { isOperator, mayGive } from './grants.ts'
import { findInvitation, invitationTarget } from './invitations.ts'

/** Seconds she has from page to page. */
const lasts = 60 * 60
/** Seconds from the last page into the console, which is one redirect. */
const acceptedLasts = 2 * 60

/** Which invitation, by the SHA-256 of its token, and in which browser it was opened. */
export type Place = { invitation: string; device: string }

export type Who =
  | {
      kind: 'new'
      accountId: string
      account: string
      name: string
      /** The password's hash. */
      secret: string
    }
  /** Whoever is signed in. */
  | { kind: 'member' }

export type Acceptance = {
  who: Who
  /** For an authenticator app. */
  setUp: { id: string; secret: string }
  /** Shown, and not kept yet. */
  made?: {
    /** Whose it is. */
    accountId: string
    factor: NewFactor
    /** What she showed, as RFC 8176 calls it. */
    amr: string
    codes: string[]
  }
}

export type Accepted = { accountId: string; amr: string[]; at: number }

type Kept = { acceptance: Acceptance } | { accepted: Accepted }

type Ports = { store: Store; dataKey: Buffer }

const idOf = ({ invitation, device }: Place) =>
  sha256(JSON.stringify(['staff acceptance', invitation, device]))
const context = (id: string) => `staff_acceptance.sealed.${id}`

const sealKept = (dataKey: Buffer, id: string, kept: Kept): string =>
  seal(dataKey, JSON.stringify(kept), context(id))

async function keep(
  { staffAcceptances }: Pick<Tables, 'staffAcceptances'>,
  place: Place,
  kept: Kept,
  { expiresAt, dataKey }: { expiresAt: number; dataKey: Buffer },
): Promise<void> {
  const id = idOf(place)
  await staffAcceptances.keep({ id, sealed: sealKept(dataKey, id, kept), expiresAt })
}

async function read(
  { store, dataKey }: Ports,
  place: Place,
  at: number,
): Promise<{ kept: Kept; row: { id: string; sealed: string } } | undefined> {
  const row = await store.staffAcceptances.find(idOf(place), at)
  return row && { kept: JSON.parse(unseal(dataKey, row.sealed, context(row.id))), row }
}

/** What she has done so far; undefined where she has not begun, in this browser, or is done. */
export async function findAcceptance(
  ports: Ports,
  place: Place,
  at: number,
): Promise<Acceptance | undefined> {
  const found = await read(ports, place, at)
  return found && 'acceptance' in found.kept ? found.kept.acceptance : undefined
}

/** Begins, or begins again as somebody else. */
export async function beginAcceptance(
  { store, dataKey }: Ports,
  place: Place,
  who: { kind: 'member' } | Omit<Who & { kind: 'new' }, 'accountId'>,
  at: number,
): Promise<void> {
  const { id, secret } = await beginSetUp(at)
  const acceptance: Acceptance = {
    who: who.kind === 'new' ? { ...who, accountId: randomUUID() } : who,
    setUp: { id, secret },
  }
  await keep(store, place, { acceptance }, { expiresAt: at + lasts, dataKey })
}

export type FactorShown =
  | { way: 'totp'; code: string; label: string }
  | { way: 'passkey'; response: string; label: string }

export type Confirmed =
  | { kind: 'confirmed' }
  | { kind: 'wrong'; why?: string }
  /** In another tab, a moment ago: that one counts, and its codes. */
  | { kind: 'made-already' }

/** She has shown that her new second factor works: its recovery codes are made, once however many tabs race. */
export async function confirmFactor(
  { store, dataKey }: Ports,
  place: Place,
  { acceptance, accountId }: { acceptance: Acceptance; accountId: string },
  shown: FactorShown,
  at: number,
  passkeys: PasskeyPorts,
): Promise<Confirmed> {
  const made = await factorOf(place, { acceptance, accountId }, shown, at, passkeys)
  if ('kind' in made) return made
  const { factor, amr, signed } = made
  const found = await read({ store, dataKey }, place, at)
  // Begun anew, or gone further: what she confirmed here belongs to neither.
  if (!found || !('acceptance' in found.kept) || !isAt(found.kept.acceptance, acceptance))
    return { kind: 'made-already' }
  if (signed && !(await store.usedOnce.use(signed.id, signed.expiresAt))) return { kind: 'wrong' }
  const codes = makeRecoveryCodes()
  const next: Acceptance = { ...acceptance, made: { accountId, factor, amr, codes } }
  const { row } = found
  const sealed = sealKept(dataKey, row.id, { acceptance: next })
  const isFirst = await store.staffAcceptances.goOn(row, { sealed, expiresAt: at + lasts })
  return { kind: isFirst ? 'confirmed' : 'made-already' }
}

/** The same as when the page was read: nothing was made of it yet. */
const isAt = (kept: Acceptance, { setUp, made }: Acceptance): boolean =>
  kept.setUp.id === setUp.id && kept.made?.accountId === made?.accountId

async function factorOf(
  { device }: Place,
  { acceptance, accountId }: { acceptance: Acceptance; accountId: string },
  shown: FactorShown,
  at: number,
  passkeys: PasskeyPorts,
): Promise<{ factor: NewFactor; amr: string; signed?: Signed } | (Confirmed & { kind: 'wrong' })> {
  const { label } = shown
  if (shown.way === 'totp') {
    const factor = await confirmSetUp(passkeys.dataKey, acceptance.setUp, shown, at)
    return factor ? { factor, amr: 'otp' } : { kind: 'wrong' }
  }
  const read = await readNewPasskey({ accountId, device }, shown.response, at, passkeys)
  if ('refused' in read) return { kind: 'wrong', why: read.refused }
  const { passkey, signed, synced } = read
  const factor: NewFactor = { ...passkey, id: acceptance.setUp.id, label }
  return { factor, signed, amr: synced ? 'swk' : 'hwk' }
}

export type Finishing = {
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
  /** Of her account something is not as it was: she goes through it once more. */
  | { kind: 'again' }

/**
 * She has a role and no second factor: she makes one by the link that was sent for her account alone. With any other
 * invitation whoever knows her password could make himself her second factor.
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

/** Thrown to take back what was begun. */
class TakenBackError extends Error {
  override name = 'TakenBackError'
  readonly finished: Finished
  constructor(finished: Finished) {
    super(`accepting: ${finished.kind}`)
    this.finished = finished
  }
}

export type FinishPorts = Ports & ConfirmationPorts

/** Account, second factor, recovery codes and roles, and the invitation used up: of several browsers exactly one. */
export async function finishAcceptance(
  ports: FinishPorts,
  place: Place,
  finishing: Finishing,
): Promise<Finished> {
  try {
    return await ports.store.transaction((tables) => finish(tables, place, finishing, ports))
  } catch (error) {
    if (error instanceof TakenBackError) return error.finished
    throw error
  }
}

async function finish(
  tables: Tables,
  place: Place,
  { acceptance, session, at, language, where }: Finishing,
  ports: FinishPorts,
): Promise<Finished> {
  const { dataKey, writeLetter } = ports
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
    if (!(await putLocalAccount(tables, wanted, at))) throw new TakenBackError({ kind: 'taken' })
    await keepAddress(tables, row, { accountId, at, language }, ports)
    await tables.audit.record({ ...event, action: 'account.create', target: accountId })
  }
  const has = (await tables.secondFactors.ofAccount(accountId)).length > 0
  // A factor she had already is not passed by with a new one, nor does anybody get in without one.
  if (has ? made || !session?.proved : !made) throw new TakenBackError({ kind: 'again' })
  if (made) {
    if (!(await tables.secondFactors.add({ ...made.factor, accountId, createdAt: at })))
      throw new TakenBackError({ kind: 'again' })
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
  await keep(tables, place, { accepted }, { expiresAt: at + acceptedLasts, dataKey })
  return { kind: 'accepted', accountId, anew: made !== undefined }
}

/**
 * Where she reads mail, if her link was there and nowhere else. One an operator saw proves nothing: a letter asks, and
 * until its link was used nothing else is sent there, no new password either.
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

/** Her sign-in right after it, once and only moments later; nothing otherwise. */
export async function takeAccepted(
  ports: Ports,
  place: Place,
  at: number,
): Promise<Accepted | undefined> {
  const found = await read(ports, place, at)
  if (!found || !('accepted' in found.kept)) return undefined
  const taken = await ports.store.staffAcceptances.take(found.row, at)
  return taken ? found.kept.accepted : undefined
}
