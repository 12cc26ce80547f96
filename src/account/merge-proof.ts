/** A member proves a second account of hers: good for this session and this browser, for a while, and once. */
import { randomUUID } from 'node:crypto'
import { isSomebodyElse, reportReused, type StaffAlerts } from '#accounts/fingerprint.ts'
import { isGuarded } from '#accounts/guarded.ts'
import { type LocalPorts, passwordMark, signInLocally, signInName } from '#accounts/local.ts'
import { findCarriedOver, findFormer } from '#accounts/rekey.ts'
import type { Held, SignInLimits, Try } from '#accounts/sign-in-limits.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { seal, unseal } from '#lib/crypto.ts'
import type { AccountRow, Store, Tables } from '#store/store.ts'
import { type Acting, acted, lockMember } from './act.ts'

/** How long she has to look at what will happen. */
export const proofSeconds = 10 * 60

/** The very browser and session she is in. */
export type ActingHere = Acting & { sessionUid: string; device: string }

export type ProvedBy =
  | { way: 'password' }
  | { way: 'upstream'; connector: string; identityId: string }

type Proof = {
  session: string
  device: string
  by: ProvedBy
  /** Of the password's hash the other account had: with another one, whoever set it has ended what was begun before. */
  password: string
}

export type Proposal = { id: string; other: AccountRow; by: ProvedBy }

export type ProofPorts = {
  /** Seals what was proved. */
  dataKey: Buffer
  /** Whose word counts at this moment; everybody's, if not said. */
  connectors?: { has(connector: string): boolean }
}

/** What she proved and has not decided on yet. Undefined also where it holds no more: of the other account something changed. */
export async function findProposal(
  tables: Pick<
    Tables,
    'accountMerges' | 'accounts' | 'credentials' | 'identities' | 'secondFactors' | 'staffRoles'
  >,
  { accountId, at, sessionUid, device }: ActingHere,
  { dataKey, connectors }: ProofPorts,
): Promise<Proposal | undefined> {
  const row = await tables.accountMerges.findProposal(accountId, at)
  if (!row) return undefined
  const proof: Proof = JSON.parse(unseal(dataKey, row.proof, contextOf(row)))
  if (proof.session !== sessionUid || proof.device !== device) return undefined
  const other = await tables.accounts.find(row.merged)
  if (other?.status !== 'active' || other.id === accountId) return undefined
  if ((await passwordMark(tables, other.id)) !== proof.password) return undefined
  if (await isGuarded(tables, other.id)) return undefined
  const { by } = proof
  if (by.way === 'upstream') {
    // Staff switched it off meanwhile.
    if (connectors?.has(by.connector) === false) return undefined
    const linked = await tables.identities.ofAccount(other.id)
    if (!linked.some(({ id }) => id === by.identityId)) return undefined
  }
  return { id: row.id, other, by }
}

/** Bound to both accounts: of two rows neither can be made the other. */
const contextOf = ({ id, kept, merged }: { id: string; kept: string; merged: string }) =>
  `account_merge.proof.${id}.${kept}.${merged}`

async function propose(
  store: Pick<Store, 'transaction'>,
  acting: ActingHere,
  merged: string,
  { by, password }: Pick<Proof, 'by' | 'password'>,
  { dataKey }: ProofPorts,
): Promise<void> {
  const { accountId, at, sessionUid, device } = acting
  const which = { id: randomUUID(), kept: accountId, merged }
  const proof: Proof = { session: sessionUid, device, by, password }
  await store.transaction(async (tables) => {
    await lockMember(tables, accountId)
    const sealed = seal(dataKey, JSON.stringify(proof), contextOf(which))
    await tables.accountMerges.propose({ ...which, proof: sealed, expiresAt: at + proofSeconds })
    await tables.audit.record(
      acted(acting, 'account.prove', { target: merged, details: { way: by.way } }),
    )
  })
}

export type Proved =
  | { kind: 'proved' }
  /** It is this very account. */
  | { kind: 'same' }
  /** It is one, and cannot be used just now: closed, suspended or not begun. */
  | { kind: 'not-active' }
  /** It has a second factor or a role. */
  | { kind: 'protected' }

export type PasswordProofPorts = ProofPorts &
  LocalPorts & {
    limits: SignInLimits
    /** Her name is counted as at the sign-in page: guesses made here and there are one sum. */
    from: (name: string) => Omit<Try, 'name'>
  }

export type ProvedByPassword =
  | Proved
  | { kind: 'empty' }
  /** How many seconds to wait before the next try. */
  | { kind: 'wrong'; waitSeconds: number }
  /** Nothing was looked at: too much was tried before. */
  | { kind: 'held'; because: Held; waitSeconds: number }

/** By the name and password the other account signs in with. Throws BusyError. */
export async function proveByPassword(
  store: Store,
  acting: ActingHere,
  typed: { account: string; password: string },
  ports: PasswordProofPorts,
): Promise<ProvedByPassword> {
  if (!typed.account.trim() || !typed.password) return { kind: 'empty' }
  const name = signInName(typed.account, ports.domain)
  const begun = await ports.limits.begin({ ...ports.from(name), name })
  if (begun.kind === 'wait') {
    return { kind: 'held', because: begun.because, waitSeconds: begun.seconds }
  }
  const signIn = await signInLocally(store, typed, ports).catch(async (error: unknown) => {
    await begun.undecided()
    throw error
  })
  const refused = (outcome: string, account?: string) =>
    store.audit.record(
      acted(acting, 'account.prove', { outcome, details: { way: 'password', account } }),
    )
  switch (signIn.kind) {
    case 'wrong':
      await refused('wrong', signIn.accountId)
      return { kind: 'wrong', waitSeconds: await begun.wrong() }
    case 'waiting':
    case 'barred':
      await begun.right()
      await refused(signIn.kind, signIn.kind === 'barred' ? signIn.accountId : undefined)
      return { kind: 'not-active' }
    case 'signed-in': {
      await begun.right()
      const { accountId, stands } = signIn
      if (accountId === acting.accountId) return { kind: 'same' }
      if (await isGuarded(store, accountId)) {
        await refused('protected', accountId)
        return { kind: 'protected' }
      }
      const password = await passwordMark(store, accountId)
      // Asked after it was read: the one she typed is the one that is noted.
      if (!(await stands())) return { kind: 'wrong', waitSeconds: 0 }
      await propose(store, acting, accountId, { by: { way: 'password' }, password }, ports)
      return { kind: 'proved' }
    }
  }
}

export type ProvedByIdentity =
  | Proved
  /** Nobody here signs in with it. */
  | { kind: 'nobody' }

/** By a trip to the county the other account signs in with, from which she is back just now. */
export async function proveByIdentity(
  store: Store,
  acting: ActingHere,
  come: UpstreamIdentity,
  ports: ProofPorts & { staff?: StaffAlerts },
): Promise<ProvedByIdentity> {
  const { connector, fingerprint } = come
  const refused = (outcome: string, account?: string) =>
    store.audit.record(
      acted(acting, 'account.prove', { outcome, details: { way: 'upstream', connector, account } }),
    )
  const known = await findLink(store, come)
  if (!known) {
    await refused('nobody')
    return { kind: 'nobody' }
  }
  const { account, identity } = known
  if (account.id === acting.accountId) return { kind: 'same' }
  // Whoever has this login now is not who the account belongs to.
  if (isSomebodyElse(identity.fingerprint, fingerprint)) {
    await reportReused(store, identity, { at: acting.at, ...acting.where }, ports.staff)
    await refused('reused', account.id)
    return { kind: 'not-active' }
  }
  if (account.status !== 'active') {
    await refused('barred', account.id)
    return { kind: 'not-active' }
  }
  if (await isGuarded(store, account.id)) {
    await refused('protected', account.id)
    return { kind: 'protected' }
  }
  const password = await passwordMark(store, account.id)
  const by: ProvedBy = { way: 'upstream', connector, identityId: identity.id }
  await propose(store, acting, account.id, { by, password }, ports)
  return { kind: 'proved' }
}

/** Under what she is known by now, or was before her county moved to another protocol. */
async function findLink({ identities }: Pick<Tables, 'identities'>, come: UpstreamIdentity) {
  const known = await identities.find(come.issuer, come.subject)
  if (known) return known
  const former = await findFormer({ identities }, come)
  return former.kind === 'one' ? former.link : findCarriedOver({ identities }, come)
}
