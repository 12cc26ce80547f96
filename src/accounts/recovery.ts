/** A new password for who lost hers: by a link to the address she keeps beside her account. */
import { seal, sha256, unseal } from '#lib/crypto.ts'
import type { WriteLetter } from '#lib/letter.ts'
import { isMailAddress } from '#lib/mail.ts'
import type { AccountRow, Circumstances, MailLinkRow, Store, Tables } from '#store/store.ts'
import { signInNameOf } from './account-name.ts'
import { findByName, normalName, signInName } from './local.ts'
import { queueMail } from './mail.ts'
import { makeLink, memoContext } from './mailed-link.ts'
import type { ResetRequest } from './requests.ts'

export type RecoveryPorts = {
  writeLetter: WriteLetter
  /** Seals where a link was sent. */
  dataKey: Buffer
  /** A name typed without `@` means an address of this domain. */
  domain?: string | undefined
  /** The absolute address behind a token. */
  linkTo: (token: string) => string
  linkSeconds: number
}

/**
 * Writes to whoever it is, in the transaction that takes the request out: whoever is killed over it leaves no letter,
 * and of two who have it in hand one writes. How many letters.
 *
 * Nobody's name and a stranger's address get nothing: who typed it cannot be told apart from who owns it, and a page
 * that sends mails to any address is a weapon.
 */
export async function answerReset(
  store: Pick<Store, 'transaction'>,
  message: string,
  { account: typed, language, where }: ResetRequest,
  at: number,
  ports: RecoveryPorts,
): Promise<number> {
  const { domain } = ports
  return store.transaction(async (tables) => {
    if (!(await tables.outbox.drop(message))) return 0
    let letters = 0
    for (const accountId of await whoeverItIs(tables, typed, domain)) {
      const asked = { actor: 'unknown', language, where, at }
      if (await mailReset(tables, accountId, asked, ports)) letters++
    }
    return letters
  })
}

type Asked = { actor: string; language: string; where: Circumstances; at: number }

/**
 * Writes to one of them. Where to; undefined for who may not sign in or cannot be written to. Call it inside a
 * transaction.
 */
export async function mailReset(
  tables: Tables,
  accountId: string,
  { actor, language, where, at }: Asked,
  { writeLetter, dataKey, linkTo, linkSeconds }: RecoveryPorts,
): Promise<string | undefined> {
  const way = await wayTo(tables, accountId)
  if (!way) return undefined
  const { account, name, to } = way
  const token = await makeLink(
    tables,
    { purpose: 'reset', subject: accountId, at, validSeconds: linkSeconds },
    (id) => seal(dataKey, to, memoContext(id)),
  )
  const letter = writeLetter({
    kind: 'reset',
    to,
    language,
    ...(account.profile.name ? { name: account.profile.name.value } : {}),
    params: { account: name, lasts: linkSeconds },
    link: linkTo(token),
  })
  await queueMail(tables, letter, { at })
  const action = { action: 'password.reset-ask', target: accountId, outcome: 'ok' }
  await tables.audit.record({ at, actor, ...action, ...where })
  return to
}

/** Accounts somebody may mean: hers by its name and, of an address, all that keep it as theirs. */
async function whoeverItIs(tables: Tables, typed: string, domain?: string): Promise<Set<string>> {
  const byName = await findByName(tables, typed, domain)
  const address = signInName(typed, domain)
  const kept = isMailAddress(address) ? await tables.recoveryAddresses.withValue(address) : []
  return new Set([...(byName ? [byName] : []), ...kept.map(({ accountId }) => accountId)])
}

type Way = {
  account: AccountRow
  /** A name she signs in with. */
  name: string
  /** Where a link for her may be sent: one address, and who reads it owns the account. */
  to: string
  /** Every address she hears of changes at. */
  addresses: string[]
}

/**
 * How a link reaches her. Undefined for who may not sign in or could not: closed, without a name, without an address.
 * The address she keeps counts also before she confirmed it: she typed it twice herself, and using the link confirms it.
 */
async function wayTo(tables: Tables, accountId: string): Promise<Way | undefined> {
  const account = await tables.accounts.find(accountId)
  if (account?.status !== 'active') return undefined
  const identifiers = await tables.identifiers.ofAccount(accountId)
  const kept = await tables.recoveryAddresses.find(accountId)
  const verified = identifiers.filter(({ type, verifiedAt }) => type === 'email' && verifiedAt)
  const addresses = [...(kept ? [kept.value] : []), ...verified.map(({ value }) => value)]
  const [to] = addresses
  const name = signInNameOf(identifiers)
  return to && name ? { account, name, to, addresses: [...new Set(addresses)] } : undefined
}

export type ResetLink =
  | {
      kind: 'good'
      accountId: string
      name: string
      /** What others know of her: none of it makes a good password. */
      about: string[]
      row: MailLinkRow
    }
  /** `over`: unknown, or not the newest one, or to an address that is hers no more. */
  | { kind: 'used' | 'expired' | 'over' }

/** What became of a link. Changes nothing: mail scanners open links. */
export async function findResetLink(
  tables: Tables,
  token: string,
  at: number,
  { dataKey }: Pick<RecoveryPorts, 'dataKey'>,
): Promise<ResetLink> {
  const row = await tables.mailLinks.find(sha256(token), 'reset')
  if (!row) return { kind: 'over' }
  if (row.usedAt !== undefined) return { kind: 'used' }
  if (row.expiresAt <= at) return { kind: 'expired' }
  const way = await wayTo(tables, row.subject)
  if (!way || way.to !== unseal(dataKey, row.memo, memoContext(row.id))) return { kind: 'over' }
  const { name, account, addresses } = way
  const about = [name, account.profile.name?.value ?? '', ...addresses]
  return { kind: 'good', accountId: row.subject, name, about, row }
}

/** Takes the link: of several at the same moment one does. Undefined for the others. Call it inside a transaction. */
export async function takeResetLink(
  tables: Tables,
  token: string,
  at: number,
  ports: Pick<RecoveryPorts, 'dataKey'>,
): Promise<Way | undefined> {
  const link = await findResetLink(tables, token, at, ports)
  if (link.kind !== 'good') return undefined
  // Held first: staff may suspend her at this moment, and two resets wait for each other.
  await tables.accounts.lock(link.accountId)
  if (!(await tables.mailLinks.use(link.row.id, 'reset', at))) return undefined
  const way = await wayTo(tables, link.accountId)
  if (!way) return undefined
  await tables.recoveryAddresses.confirm(link.accountId, way.to, at)
  return way
}

/** What the page needs of what was typed: comparable, and no longer than an address. */
export const askedName = (typed: string): string | undefined => {
  const name = normalName(typed)
  return name !== '' && name.length <= 254 ? name : undefined
}
