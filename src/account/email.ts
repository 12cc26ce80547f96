/** The address a member keeps beside her account: it changes when a link sent to the new one was used. */
import { accountName } from '#accounts/account-name.ts'
import {
  type ConfirmationPorts,
  findConfirmationWaiting,
  readConfirmation,
  sendConfirmation,
} from '#accounts/address-confirmation.ts'
import type { Counters } from '#accounts/counters.ts'
import { normalName } from '#accounts/local.ts'
import { queueMail } from '#accounts/mail.ts'
import { addressesOf } from '#accounts/mail-addresses.ts'
import { sha256 } from '#lib/crypto.ts'
import { isMailAddress } from '#lib/mail.ts'
import type { Message } from '#lib/messages.ts'
import type { Circumstances, Store, Tables } from '#store/store.ts'
import { type Acting, acted, lockMember } from './act.ts'

const purpose = 'confirm-address'
/** A letter is not sent again sooner: the one before may be on its way. */
export const resendAfterSeconds = 120
/** Letters to whatever addresses, for one account: nobody fills strangers' mailboxes from here. */
const mostPerHour = 6

export type EmailPorts = ConfirmationPorts & {
  counters: Counters
  /** Mailboxes there are opened with accounts of ours: who is locked out of one is locked out of both. */
  ownDomain?: string | undefined
}

export type Waiting = { address: string; sentAt: number; resendIn: number }

/** The address that waits to be confirmed. */
export async function findWaiting(
  tables: Pick<Tables, 'mailLinks'>,
  acting: Pick<Acting, 'accountId' | 'at'>,
  ports: Pick<EmailPorts, 'dataKey'>,
): Promise<Waiting | undefined> {
  const waiting = await findConfirmationWaiting(tables, acting, ports)
  if (!waiting) return undefined
  const { address, sentAt } = waiting
  return { address, sentAt, resendIn: Math.max(0, sentAt + resendAfterSeconds - acting.at) }
}

/** What she asks for in a session that is ended by hand ends with it: whose it was she did not trust. */
type InSession = Acting & { sessionUid: string }

export type AddressChange =
  | { kind: 'sent'; address: string }
  | { kind: 'again'; problems: { address?: Message; again?: Message } }
  /** Too soon after the letter before, or too many. */
  | { kind: 'wait'; seconds: number }
  | { kind: 'nothing-waits' }

/** Sends a link to the new address. Until it is used the old one stays; of several changes the last one counts. */
export async function askAddressChange(
  store: Store,
  acting: InSession,
  typed: { address: string; again: string },
  ports: EmailPorts,
): Promise<AddressChange> {
  const address = normalName(typed.address)
  const problems: { address?: Message; again?: Message } = {}
  const { ownDomain } = ports
  if (!isMailAddress(address)) problems.address = 'account.email.address-wrong'
  else if (ownDomain && address.endsWith(`@${ownDomain}`))
    problems.address = { key: 'account.email.own', params: { domain: ownDomain } }
  else if (normalName(typed.again) !== address) problems.again = 'account.email.differs'
  if (Object.keys(problems).length > 0) return { kind: 'again', problems }
  const { accountId } = acting
  const kept = await store.recoveryAddresses.find(accountId)
  if (kept?.value === address && kept.confirmedAt !== undefined) {
    return { kind: 'again', problems: { address: 'account.email.same' } }
  }
  return send(store, acting, ports, (waiting) => ({
    address,
    tooSoon: waiting?.address === address ? waiting.resendIn : 0,
  }))
}

/** Sends another letter to the address that waits; the link before is good no more. */
export const resendConfirmation = (
  store: Store,
  acting: InSession,
  ports: EmailPorts,
): Promise<AddressChange> =>
  send(
    store,
    acting,
    ports,
    (waiting) => waiting && { address: waiting.address, tooSoon: waiting.resendIn },
  )

export async function cancelAddressChange(store: Store, acting: Acting): Promise<void> {
  await store.transaction(async (tables) => {
    await lockMember(tables, acting.accountId)
    if (!(await tables.mailLinks.findOpen(acting.accountId, purpose, acting.at))) return
    await tables.mailLinks.endAll(acting.accountId, purpose)
    await tables.audit.record(acted(acting, 'recovery-address.cancel'))
  })
}

/** Whom to write to, in view of who was written to before; undefined for nobody. */
type Choose = (waiting: Waiting | undefined) => { address: string; tooSoon: number } | undefined

async function send(
  store: Store,
  acting: InSession,
  ports: EmailPorts,
  choose: Choose,
): Promise<AddressChange> {
  const { accountId, at, language } = acting
  const held = async (tables: Pick<Tables, 'mailLinks'>) => {
    const chosen = choose(await findWaiting(tables, acting, ports))
    if (!chosen) return { kind: 'nothing-waits' } as const
    return chosen.tooSoon > 0 ? ({ kind: 'wait', seconds: chosen.tooSoon } as const) : chosen
  }
  const before = await held(store)
  if ('kind' in before) return before
  // Counted outside of the transaction: counters are everybody's.
  const window = { of: ['address letters', accountId], seconds: 60 * 60 }
  const [count] = await ports.counters.hit(window)
  if (count.points > mostPerHour) return { kind: 'wait', seconds: count.leftSeconds }

  return store.transaction(async (tables): Promise<AddressChange> => {
    await lockMember(tables, accountId)
    // Again, now that no other tab can be faster.
    const chosen = await held(tables)
    if ('kind' in chosen) return chosen
    const { address } = chosen
    const asked = { accountId, at, address, language, session: acting.sessionUid }
    await sendConfirmation(tables, asked, ports)
    await tables.audit.record(acted(acting, 'recovery-address.ask'))
    return { kind: 'sent', address }
  })
}

export type Confirmation =
  | { kind: 'open'; address: string }
  | { kind: 'used' }
  | { kind: 'expired' }
  /** Never sent, or another letter was sent after it. */
  | { kind: 'unknown' }

/** What a link is good for. Changes nothing: mail scanners open links too. */
export async function findConfirmation(
  { mailLinks }: Pick<Store, 'mailLinks'>,
  token: string,
  at: number,
  { dataKey }: Pick<EmailPorts, 'dataKey'>,
): Promise<Confirmation> {
  const link = await mailLinks.find(sha256(token), purpose)
  if (!link) return { kind: 'unknown' }
  if (link.usedAt !== undefined) return { kind: 'used' }
  if (link.expiresAt <= at) return { kind: 'expired' }
  return { kind: 'open', address: readConfirmation({ dataKey }, link).address }
}

/** Makes the address hers. Whoever holds the link reads mail there, wherever that is: no session is needed, none opened. */
export async function confirmAddress(
  store: Store,
  token: string,
  { at, where }: { at: number; where: Circumstances },
  { dataKey, writeLetter }: Pick<EmailPorts, 'dataKey' | 'writeLetter'>,
): Promise<Confirmation> {
  const id = sha256(token)
  const link = await store.mailLinks.find(id, purpose)
  if (!link) return { kind: 'unknown' }
  const { address, language } = readConfirmation({ dataKey }, link)
  const accountId = link.subject
  const acting = { accountId, at, language, where }
  return store.transaction(async (tables): Promise<Confirmation> => {
    // First the account, then the link: as everybody does who ends links of an account.
    const account = await tables.accounts.lock(accountId)
    if (account?.status !== 'active') return { kind: 'unknown' }
    if (!(await tables.mailLinks.use(id, purpose, at))) {
      return findConfirmation(tables, token, at, { dataKey })
    }
    const names = await tables.identifiers.ofAccount(accountId)
    const before = await tables.recoveryAddresses.find(accountId)
    const known = await addressesOf(tables, account, names)
    await tables.recoveryAddresses.put({
      accountId,
      value: address,
      confirmedAt: at,
      createdAt: at,
    })
    // A link to a new password that lies in the old mailbox is good no more.
    await tables.mailLinks.endAll(accountId, 'reset')
    await tables.audit.record(acted(acting, 'recovery-address.confirm'))
    if (before?.value === address) return { kind: 'used' }
    const params = { account: accountName(account, names), address: veiled(address) }
    for (const to of known.filter((one) => one !== address)) {
      const letter = writeLetter({ kind: 'address-changed', to, language, params })
      await queueMail(tables, letter, { at })
    }
    return { kind: 'used' }
  })
}

/** As much of an address as its owner needs to know it again: `w…@mail.example`. */
export const veiled = (address: string): string =>
  address.replace(/^(.)[^@]*/su, (_, first: string) => `${first}…`)
