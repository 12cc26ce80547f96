/** A member's second factors: added, removed, and the codes for the day they are lost. */
import { type PasskeyPorts, readNewPasskey, type Signed } from '#accounts/second-factor/passkeys.ts'
import { makeRecoveryCodes, recoveryDigest } from '#accounts/second-factor/recovery-codes.ts'
import {
  beginSetUp,
  confirmSetUp,
  type NewFactor,
  openSetUp,
  sealSetUp,
} from '#accounts/second-factor/set-up.ts'
import { totpUri } from '#accounts/second-factor/totp.ts'
import { tell } from '#accounts/tell.ts'
import { sha256 } from '#lib/crypto.ts'
import type { WriteLetter } from '#lib/letter.ts'
import { endSessions } from '#oidc/sessions.ts'
import type { CodesStanding, FactorRow, Store, Tables } from '#store/store.ts'
import { type Acting, acted, lockMember } from './act.ts'

/** More than anybody has telephones. */
const most = 10

export type FactorActing = Acting & {
  sessionUid: string
  device: string
  /** She is signed in with both factors. */
  proved: boolean
}

export type FactorPorts = PasskeyPorts & { writeLetter: WriteLetter }

export type Factors = {
  list: FactorRow[]
  codesLeft: number
  /** Stands for these codes in the form that replaces them. */
  edition: string
  /** She has a role here and no factor: none is added by her password alone. */
  byInvitation: boolean
}

/** Also inside a transaction. */
export async function listFactors(
  { secondFactors, recoveryCodes, staffRoles }: Tables,
  accountId: string,
): Promise<Factors> {
  // One after the other: inside a transaction they share a connection.
  const list = await secondFactors.ofAccount(accountId)
  const codes = await recoveryCodes.standing(accountId)
  const roles = await staffRoles.of(accountId)
  return {
    list,
    codesLeft: codes.left,
    edition: shownEdition(codes),
    byInvitation: list.length === 0 && roles.length > 0,
  }
}

/** Nothing of a code is in a page. */
const shownEdition = ({ edition }: CodesStanding) => sha256(edition)

export type ShownSetUp = { sealed: string; secret: string; uri: string }

/** A new one each time; with `sealed` the one she is at. */
export async function showSetUp(
  { accountId, device, at }: Pick<FactorActing, 'accountId' | 'device' | 'at'>,
  account: string,
  { dataKey, title }: PasskeyPorts,
  sealed?: string,
): Promise<ShownSetUp> {
  const whom = { accountId, device }
  const known = sealed === undefined ? undefined : openSetUp(dataKey, whom, sealed, at)
  const setUp = known ?? (await beginSetUp(at))
  return {
    sealed: sealSetUp(dataKey, whom, setUp),
    secret: setUp.secret,
    uri: await totpUri(setUp.secret, { issuer: title, account }),
  }
}

export type Refused = {
  kind: 'refused'
  why:
    | 'by-invitation'
    /** She has factors by now, and has not shown one. */
    | 'prove'
    | 'too-many'
    /** It is somebody's already. */
    | 'known'
    /** Made in another tab since the page was shown. */
    | 'codes-changed'
    /** She is staff, and has no other. */
    | 'last'
    | 'none'
}

export type Added =
  | { kind: 'added'; codes?: string[] }
  | { kind: 'wrong'; why?: string }
  /** The page was open for too long. */
  | { kind: 'over' }
  | Refused

/** Adds the authenticator app that was set up, if she typed a code of it; recovery codes come with the first factor. */
export async function addTotp(
  store: Store,
  acting: FactorActing,
  { sealed, code, label }: { sealed: string; code: string; label: string },
  ports: FactorPorts,
): Promise<Added> {
  const { accountId, device, at } = acting
  const setUp = openSetUp(ports.dataKey, { accountId, device }, sealed, at)
  if (!setUp) return { kind: 'over' }
  const factor = await confirmSetUp(ports.dataKey, setUp, { code, label }, at)
  return factor ? add(store, acting, factor, ports) : { kind: 'wrong' }
}

/** Adds a passkey. `id`: the factor's, one for each time the form is shown; `response`: what the browser said, as JSON. */
export async function addPasskey(
  store: Store,
  acting: FactorActing,
  { id, response, label }: { id: string; response: string; label: string },
  ports: FactorPorts,
): Promise<Added> {
  const read = await readNewPasskey(acting, response, acting.at, ports)
  if ('refused' in read) return { kind: 'wrong', why: read.refused }
  return add(store, acting, { ...read.passkey, id, label }, ports, read.signed)
}

async function add(
  store: Store,
  acting: FactorActing,
  factor: NewFactor,
  ports: FactorPorts,
  signed?: Signed,
): Promise<Added> {
  const { accountId, at } = acting
  return store.transaction(async (tables): Promise<Added> => {
    const account = await lockMember(tables, accountId)
    const { list, byInvitation } = await listFactors(tables, accountId)
    const refused = (why: Refused['why']): Refused => ({ kind: 'refused', why })
    if (byInvitation) return refused('by-invitation')
    if (list.length > 0 && !acting.proved) return refused('prove')
    if (list.length >= most) return refused('too-many')
    if (signed && !(await tables.usedOnce.use(signed.id, signed.expiresAt))) return { kind: 'over' }
    if (!(await tables.secondFactors.add({ ...factor, accountId, createdAt: at })))
      return refused('known')
    await tables.audit.record(acted(acting, 'factor.add', { details: { type: factor.type } }))
    await tell(tables, account, acting, (her) =>
      ports.writeLetter({ kind: 'factor-added', ...her }),
    )
    if (list.length > 0) return { kind: 'added' }
    return { kind: 'added', codes: await putCodes(tables, acting, ports) }
  })
}

/** New recovery codes in place of all there were. */
async function putCodes(
  tables: Pick<Tables, 'recoveryCodes' | 'audit'>,
  acting: Acting,
  { dataKey }: Pick<FactorPorts, 'dataKey'>,
): Promise<string[]> {
  const { accountId, at } = acting
  const codes = makeRecoveryCodes()
  const digests = codes.map((code) => recoveryDigest(dataKey, accountId, code))
  await tables.recoveryCodes.replace(accountId, digests, at)
  await tables.audit.record(acted(acting, 'factor.codes', { details: { codes: codes.length } }))
  return codes
}

export type NewCodes = { kind: 'made'; codes: string[] } | Refused

/** In place of those she saw: of several tabs one gets new ones, or who read the first would keep codes that are void. */
export async function renewCodes(
  store: Store,
  acting: FactorActing,
  seen: string,
  ports: FactorPorts,
): Promise<NewCodes> {
  return store.transaction(async (tables): Promise<NewCodes> => {
    const account = await lockMember(tables, acting.accountId)
    const factors = await tables.secondFactors.ofAccount(acting.accountId)
    if (factors.length === 0) return { kind: 'refused', why: 'none' }
    if (!acting.proved) return { kind: 'refused', why: 'prove' }
    if (shownEdition(await tables.recoveryCodes.standing(acting.accountId)) !== seen)
      return { kind: 'refused', why: 'codes-changed' }
    const codes = await putCodes(tables, acting, ports)
    await tell(tables, account, acting, (her) =>
      ports.writeLetter({ kind: 'recovery-codes', ...her }),
    )
    return { kind: 'made', codes }
  })
}

export type Removed = { kind: 'removed' } | { kind: 'unknown' } | Refused

/** Where she is signed in elsewhere ends: it may have been by what she lost. */
export async function removeFactor(
  store: Store,
  acting: FactorActing,
  id: string,
  ports: FactorPorts,
): Promise<Removed> {
  const { accountId, at, sessionUid } = acting
  return store.transaction(async (tables): Promise<Removed> => {
    const account = await lockMember(tables, accountId)
    const factors = await tables.secondFactors.ofAccount(accountId)
    const factor = factors.find((one) => one.id === id)
    if (!factor) return { kind: 'unknown' }
    if (!acting.proved) return { kind: 'refused', why: 'prove' }
    if (factors.length === 1 && (await tables.staffRoles.of(accountId)).length > 0)
      return { kind: 'refused', why: 'last' }
    await tables.secondFactors.remove(accountId, id)
    if (factors.length === 1) await tables.recoveryCodes.removeAll(accountId)
    const sessionsEnded = await endSessions(tables, accountId, at, { exceptUid: sessionUid })
    const details = { type: factor.type, sessionsEnded }
    await tables.audit.record(acted(acting, 'factor.remove', { details }))
    await tell(tables, account, acting, (her) =>
      ports.writeLetter({ kind: 'factor-removed', ...her }),
    )
    return { kind: 'removed' }
  })
}
