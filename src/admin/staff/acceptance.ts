/**
 * Somebody accepts an invitation, page by page: an account, then a second factor. What she has done so far waits, sealed,
 * for her and this browser; finishing.ts keeps all of it at once.
 */
import { randomUUID } from 'node:crypto'
import { type PasskeyPorts, readNewPasskey, type Signed } from '#accounts/second-factor/passkeys.ts'
import { makeRecoveryCodes } from '#accounts/second-factor/recovery-codes.ts'
import { beginSetUp, confirmSetUp, type NewFactor } from '#accounts/second-factor/set-up.ts'
import { seal, sha256, unseal } from '#lib/crypto.ts'
import type { Store, Tables } from '#store/store.ts'

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

export type AcceptancePorts = { store: Store; dataKey: Buffer }

const idOf = ({ invitation, device }: Place) =>
  sha256(JSON.stringify(['staff acceptance', invitation, device]))
const context = (id: string) => `staff_acceptance.${id}`

const sealKept = (dataKey: Buffer, id: string, kept: Kept): string =>
  seal(dataKey, JSON.stringify(kept), context(id))

async function keep(
  { sealedNotes }: Pick<Tables, 'sealedNotes'>,
  place: Place,
  kept: Kept,
  { expiresAt, dataKey }: { expiresAt: number; dataKey: Buffer },
): Promise<void> {
  const id = idOf(place)
  await sealedNotes.keep({ id, sealed: sealKept(dataKey, id, kept), expiresAt })
}

async function read(
  { store, dataKey }: AcceptancePorts,
  place: Place,
  at: number,
): Promise<{ kept: Kept; row: { id: string; sealed: string } } | undefined> {
  const row = await store.sealedNotes.find(idOf(place), at)
  return row && { kept: JSON.parse(unseal(dataKey, row.sealed, context(row.id))), row }
}

/** What she has done so far; undefined where she has not begun, in this browser, or is done. */
export async function findAcceptance(
  ports: AcceptancePorts,
  place: Place,
  at: number,
): Promise<Acceptance | undefined> {
  const found = await read(ports, place, at)
  return found && 'acceptance' in found.kept ? found.kept.acceptance : undefined
}

/** Begins, or begins again as somebody else. */
export async function beginAcceptance(
  { store, dataKey }: AcceptancePorts,
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
  { store, dataKey }: AcceptancePorts,
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
  const isFirst = await store.sealedNotes.goOn(row, { sealed, expiresAt: at + lasts })
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

/** Keeps that she has accepted, for her sign-in right after it. Call it in the transaction that finishes. */
export const keepAccepted = (
  tables: Pick<Tables, 'sealedNotes'>,
  place: Place,
  accepted: Accepted,
  dataKey: Buffer,
): Promise<void> =>
  keep(tables, place, { accepted }, { expiresAt: accepted.at + acceptedLasts, dataKey })

/** The acceptance that was finished moments ago, given once, for her sign-in right after it; else undefined. */
export async function takeAccepted(
  ports: AcceptancePorts,
  place: Place,
  at: number,
): Promise<Accepted | undefined> {
  const found = await read(ports, place, at)
  if (!found || !('accepted' in found.kept)) return undefined
  const taken = await ports.store.sealedNotes.take(found.row, at)
  return taken ? found.kept.accepted : undefined
}
