/** Accounts with a password kept here. */
import { randomUUID } from 'node:crypto'
import { BusyError } from '#errors.ts'
import { sha256 } from '#lib/crypto.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { AccountRow, CredentialRow, Store, Tables } from '#store/store.ts'
import type { Passwords } from './passwords.ts'

export type LocalPorts = {
  now: Now
  passwords: Passwords
  /** A name typed without `@` means an address of this domain. */
  domain?: string
  /** The password's hash of somebody who registered with this address and has not proven it yet. */
  waitingPassword?: (address: string) => Promise<string | undefined>
}

/** Asked inside a transaction it needs that one's tables. */
export type Stands = (tables?: Pick<Tables, 'credentials'>) => Promise<boolean>

export type LocalSignIn =
  | {
      kind: 'signed-in'
      accountId: string
      /** Whether this password still opens the account: asked again when her being signed in has been put down. */
      stands: Stands
    }
  /** There is no account yet: the link in the mail was not used. */
  | { kind: 'waiting' }
  /** Unknown name and wrong password are one answer, in the same time. */
  | { kind: 'wrong'; accountId?: string }
  | { kind: 'barred'; accountId: string; status: Exclude<AccountRow['status'], 'active'> }

/** Checks a name and a password as typed. Throws BusyError when too many are waiting. */
export async function signInLocally(
  store: Store,
  typed: { account: string; password: string },
  ports: LocalPorts,
): Promise<LocalSignIn> {
  const found = await findByName(store, typed.account, ports.domain)
  const credential = found ? await store.credentials.findPassword(found) : undefined
  const waiting = found
    ? undefined
    : await ports.waitingPassword?.(signInName(typed.account, ports.domain))
  // One hash in any case: who has no account, or none yet, costs the same time.
  const right = await ports.passwords.verify(credential?.secret ?? waiting, typed.password)
  if (right && waiting !== undefined) return { kind: 'waiting' }
  if (!right || !found) return { kind: 'wrong', accountId: found }
  const account = await store.accounts.find(found)
  if (!account) return { kind: 'wrong' }
  // A reset or change may have come in between, which has ended everything else: hashing takes its time.
  let secret = credential?.secret
  const stands: Stands = async ({ credentials } = store) =>
    (await credentials.findPassword(found))?.secret === secret
  if (!(await stands())) {
    // In another tab she may have got a hash of ours for an old one: that is the same password.
    const isOld = secret !== undefined && ports.passwords.isOld(secret)
    secret = isOld ? await findRight(store, found, typed.password, ports) : undefined
    if (secret === undefined) return { kind: 'wrong', accountId: found }
  }
  // Said only to someone who knows the password: it tells a guesser nothing.
  if (account.status !== 'active')
    return { kind: 'barred', accountId: account.id, status: account.status }
  if (credential && secret !== undefined && ports.passwords.isOld(secret))
    secret = await renew(store, { ...credential, secret }, typed.password, ports)
  return { kind: 'signed-in', accountId: account.id, stands }
}

/** The password she knows gets a hash of ours, if nobody has changed it meanwhile. What is kept of it now. */
async function renew(
  { credentials }: Pick<Store, 'credentials'>,
  { id, accountId, secret: old }: CredentialRow,
  password: string,
  { now, passwords }: Pick<LocalPorts, 'now' | 'passwords'>,
): Promise<string> {
  try {
    const secret = await passwords.hash(password)
    if (await credentials.changeSecret(id, old, secret, seconds(now))) return secret
    return (await findRight({ credentials }, accountId, password, { passwords })) ?? old
  } catch (error) {
    // Too many are waiting: the next time, then.
    if (error instanceof BusyError) return old
    throw error
  }
}

/** The hash that is kept now, if this password is the one it was made of. */
async function findRight(
  { credentials }: Pick<Store, 'credentials'>,
  accountId: string,
  password: string,
  { passwords }: Pick<LocalPorts, 'passwords'>,
): Promise<string | undefined> {
  const secret = (await credentials.findPassword(accountId))?.secret
  return (await passwords.verify(secret, password)) ? secret : undefined
}

/** Names are compared as people mean them: without case, blanks or full-width letters. */
export const normalName = (name: string): string => name.normalize('NFKC').trim().toLowerCase()

/** A name as it is counted: with the domain it means. */
export function signInName(typed: string, domain?: string): string {
  const name = normalName(typed)
  return domain && !name.includes('@') ? `${name}@${domain}` : name
}

/** Whose account a name as typed means. */
export async function findByName(
  store: Pick<Store, 'identifiers'>,
  typed: string,
  domain?: string,
): Promise<string | undefined> {
  const name = normalName(typed)
  if (name.includes('@')) return (await store.identifiers.find('email', name))?.accountId
  const byUsername = await store.identifiers.find('username', name)
  if (byUsername || !domain) return byUsername?.accountId
  return (await store.identifiers.find('email', `${name}@${domain}`))?.accountId
}

/** Stands for the password an account has: another one once it has another. */
export const passwordMark = async (
  { credentials }: Pick<Tables, 'credentials'>,
  accountId: string,
): Promise<string> => sha256((await credentials.findPassword(accountId))?.secret ?? '')

type NewLocalAccount = {
  accountId: string
  /** A user name, or an address when it has an `@`. */
  account: string
  name: string
  by: string
  /** The password's hash. */
  secret: string
}

/**
 * Makes an active account with its first name and password. False if somebody has the name: take back then what it has
 * begun. Call it inside a transaction.
 */
export async function putLocalAccount(
  { accounts, identifiers, credentials }: Pick<Tables, 'accounts' | 'identifiers' | 'credentials'>,
  { accountId, account, name: fullName, by, secret }: NewLocalAccount,
  at: number,
): Promise<boolean> {
  const name = normalName(account)
  const type = name.includes('@') ? 'email' : 'username'
  const vouched = { by, at }
  await accounts.create({
    id: accountId,
    kind: 'person',
    status: 'active',
    profile: {
      name: { value: fullName, ...vouched },
      preferred_username: { value: name, ...vouched },
      ...(type === 'email' ? { email: { value: name, verified: true, ...vouched } } : {}),
    },
    createdAt: at,
    updatedAt: at,
  })
  if (!(await identifiers.take({ type, value: name, accountId, verifiedAt: at }))) return false
  await createPassword(credentials, { accountId, secret }, at)
  return true
}

/** Replaces the password, or gives the account its first one. Call it inside a transaction. */
export async function setPassword(
  { credentials }: Pick<Tables, 'credentials'>,
  accountId: string,
  secret: string,
  at: number,
): Promise<void> {
  const known = await credentials.findPassword(accountId)
  if (known) return credentials.setSecret(known.id, secret, at)
  await createPassword(credentials, { accountId, secret }, at)
}

const createPassword = (
  credentials: Tables['credentials'],
  password: Pick<CredentialRow, 'accountId' | 'secret'>,
  at: number,
) =>
  credentials.create({
    id: randomUUID(),
    type: 'password',
    ...password,
    createdAt: at,
    updatedAt: at,
  })
