/** Makes what an enrolment's rules want of what was found out: an account with all that belongs to it. */
import { type ConfirmationPorts, sendConfirmation } from '#accounts/address-confirmation.ts'
import { attachIdentity } from '#accounts/attach-identity.ts'
import { normalName, setPassword } from '#accounts/local.ts'
import { numberContext } from '#accounts/personal-numbers.ts'
import { queueProvisioning } from '#accounts/provisioning.ts'
import { putLink } from '#accounts/put-link.ts'
import { findKnown } from '#accounts/rekey.ts'
import { profileFrom } from '#accounts/vouched-profile.ts'
import type { EnrolmentRules } from '#config/enrolment.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { hmac, seal } from '#lib/crypto.ts'
import { isMailAddress } from '#lib/mail.ts'
import {
  type Attribute,
  type Circumstances,
  LinkedMeanwhileError,
  type Tables,
} from '#store/store.ts'
import { holds } from './conditions.ts'
import type { Facts } from './step.ts'
import type { Known } from './walk.ts'

export type CreatePorts = {
  /** Seals personal numbers. */
  numberKey: Buffer
  /** Under it a number is compared without being known. */
  numberDigestKey: Buffer
  /** To an address nobody has shown to be hers. */
  confirmation: ConfirmationPorts
}

/** Somebody has what was to be this account's alone. Rolls the transaction back. */
export class FactTaken extends Error {
  override name = 'FactTaken'
  readonly fact: string
  constructor(fact: string) {
    super(`${fact} is somebody’s already`)
    this.fact = fact
  }
}

/** Who wanted to become more is no active member any more. Rolls the transaction back. */
export class NotAMember extends Error {
  override name = 'NotAMember'
}

type Wanted = {
  rules: EnrolmentRules
  known: Known
  accountId: string
  /** The account is there already: it becomes more. */
  isMember: boolean
  language: string
  at: number
  circumstances: Circumstances
}

/** Call it inside a transaction. Throws FactTaken and NotAMember. */
export async function create(tables: Tables, ports: CreatePorts, wanted: Wanted): Promise<void> {
  const { rules, known, accountId, at } = wanted
  await putAccount(tables, wanted)
  await takeIdentifiers(tables, wanted)
  const { identity, accepted } = known
  if (identity && !(await takeIdentity(tables, wanted, identity)))
    throw new FactTaken('upstream.connector')
  for (const { terms, version, language, hash, at: agreedAt, address } of accepted) {
    await tables.agreements.agree({ accountId, terms, version, language, hash, agreedAt, address })
  }
  await putCredentials(tables, ports, wanted)
  await provision(tables, wanted)
  const action = wanted.isMember ? 'account.upgrade' : 'account.create'
  await tables.audit.record({
    at,
    actor: accountId,
    action,
    target: accountId,
    outcome: 'ok',
    ...wanted.circumstances,
    details: { enrolment: rules.id, ...(identity ? { connector: identity.connector } : {}) },
  })
}

async function putAccount(tables: Tables, { rules, known, accountId, isMember, at }: Wanted) {
  const { identity } = known
  const before = isMember ? await tables.accounts.lock(accountId) : undefined
  if (isMember && before?.status !== 'active') throw new NotAMember()
  const said = { ...before?.profile, ...profileOf(rules, known, at) }
  const profile = identity ? profileFrom(identity, said, at) : said
  const { kind } = rules.creates
  if (before) {
    await tables.accounts.setProfile(accountId, profile, at)
    await tables.accounts.setKind(accountId, kind, at)
  } else {
    const row = { id: accountId, kind, status: 'active' as const, profile }
    await tables.accounts.create({ ...row, createdAt: at, updatedAt: at })
  }
}

/** False if it is somebody else's, or was before her county moved. */
async function takeIdentity(
  tables: Tables,
  { accountId, isMember, at, circumstances }: Wanted,
  identity: UpstreamIdentity,
): Promise<boolean> {
  if (!isMember) {
    if (await findKnown(tables, identity)) return false
    return attachIdentity(tables, accountId, identity, at)
  }
  const account = await tables.accounts.lock(accountId)
  if (!account) throw new NotAMember()
  try {
    // She may have proven who she is by what is linked to her already.
    return (await putLink(tables, account, identity, { ...circumstances, at })) !== 'taken'
  } catch (error) {
    if (error instanceof LinkedMeanwhileError) return false
    throw error
  }
}

function profileOf({ creates }: EnrolmentRules, { facts, vouched }: Known, at: number) {
  const profile: Record<string, Attribute> = {}
  for (const [claim, names] of Object.entries(creates.profile)) {
    const fact = [names].flat().find((name) => facts[name] !== undefined && facts[name] !== '')
    if (fact === undefined) continue
    const verified = isVerified(creates, facts, fact)
    profile[claim] = {
      value: String(facts[fact]),
      by: vouched[fact] ?? 'self',
      at,
      ...(claim === 'email' || claim === 'phone_number' ? { verified } : {}),
    }
  }
  return profile
}

/** Proven by a step, or ours to give: an address of our own domain. */
function isVerified({ identifiers }: EnrolmentRules['creates'], facts: Facts, fact: string) {
  const rule = identifiers.find((one) => one.fact === fact)?.verified ?? `${fact}_verified`
  return typeof rule === 'boolean' ? rule : facts[rule] === true
}

async function takeIdentifiers(tables: Tables, { rules, known, accountId, at }: Wanted) {
  const { facts } = known
  for (const { type, fact } of rules.creates.identifiers) {
    const value = facts[fact]
    if (typeof value !== 'string' || value === '') continue
    const verified = isVerified(rules.creates, facts, fact)
    // Perhaps the step that proves it was not hers to take.
    if (type === 'email' && !verified) continue
    const row = {
      type,
      value: normalName(value),
      accountId,
      ...(verified ? { verifiedAt: at } : {}),
    }
    if (await tables.identifiers.take(row)) continue
    // A member keeps the names she has.
    const holder = await tables.identifiers.find(type, row.value)
    if (holder?.accountId !== accountId) throw new FactTaken(fact)
  }
}

async function putCredentials(tables: Tables, ports: CreatePorts, wanted: Wanted) {
  const { rules, known, accountId, at, circumstances } = wanted
  const { creates } = rules
  const { facts, held } = known
  const secret = creates.password && held[creates.password]
  if (secret) await setPassword(tables, accountId, secret, at)
  await keepRecoveryAddress(tables, ports, wanted)
  const picture = creates.picture && held[creates.picture]
  if (picture) {
    const [type = '', bytes = ''] = picture.split(',')
    const row = { accountId, type, bytes: Buffer.from(bytes, 'base64'), updatedAt: at }
    await tables.pictures.put(row)
  }
  for (const [type, fact] of Object.entries(creates.personal_numbers)) {
    const number = held[fact]
    if (!number) continue
    await tables.personalNumbers.put({
      accountId,
      type,
      digest: hmac(ports.numberDigestKey, `${type}\n${number}`),
      sealed: seal(ports.numberKey, number, numberContext(type, accountId)),
      createdAt: at,
    })
  }
  const { 'guardian.name': name, 'guardian.email': email } = facts
  if (typeof name === 'string' && typeof email === 'string') {
    // Hers, not those of whoever finishes.
    const agreedAt = Number(facts['guardian.agreed_at'] ?? at)
    const address = String(facts['guardian.address'] ?? circumstances.address ?? '')
    await tables.guardians.put({ accountId, name, email, agreedAt, address })
  }
}

/** What no step has proven gets a link. Until it is used a member's own address stays: as on her page. */
async function keepRecoveryAddress(tables: Tables, { confirmation }: CreatePorts, wanted: Wanted) {
  const { rules, known, accountId, at, language } = wanted
  const fact = rules.creates.recovery_address
  const typed = fact && known.facts[fact]
  if (typeof typed !== 'string' || typed === '') return
  const value = normalName(typed)
  const confirmed = known.facts[`${fact}_verified`] === true
  const kept = await tables.recoveryAddresses.find(accountId)
  if (kept?.value === value && kept.confirmedAt !== undefined) return
  if (!kept || confirmed) {
    const row = { accountId, value, createdAt: at }
    await tables.recoveryAddresses.put(confirmed ? { ...row, confirmedAt: at } : row)
  }
  if (confirmed || !isMailAddress(value)) return
  await sendConfirmation(tables, { accountId, at, address: value, language }, confirmation)
}

/** Events for whoever makes a mailbox of it, or the like. */
async function provision(tables: Tables, { rules, known, accountId, at }: Wanted) {
  for (const { receiver, type, when, data } of rules.creates.provision) {
    if (holds(when, known.facts) !== 'yes') continue
    const facts = Object.entries(data).map(([name, fact]) => [name, known.facts[fact] ?? null])
    const event = { receiver, type, data: { sub: accountId, ...Object.fromEntries(facts) } }
    await queueProvisioning(tables, event, { at })
  }
}
