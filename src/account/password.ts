/** A member's own change of her password: she knows the old one, or has just proved herself in another way. */
import { randomUUID } from 'node:crypto'
import type { PasswordRules } from '#accounts/password-rules.ts'
import type { Passwords } from '#accounts/passwords.ts'
import type { Held, SignInLimits, Try } from '#accounts/sign-in-limits.ts'
import { tell } from '#accounts/tell.ts'
import type { WriteLetter } from '#lib/letter.ts'
import type { Message } from '#lib/messages.ts'
import type { Store, Tables } from '#store/store.ts'
import { type Acting, acted, lockMember } from './act.ts'
import { endWhatElseIsOpen } from './ending.ts'

export type PasswordPorts = {
  passwords: Passwords
  judgePassword: PasswordRules
  limits: SignInLimits
  /** Her name is counted as at the sign-in page: guesses made here and there are one sum. */
  from: (name: string) => Omit<Try, 'name'>
  writeLetter: WriteLetter
}

export type NewPassword = { current: string; password: string; again: string }
export type PasswordProblems = Partial<Record<keyof NewPassword, Message>>

export type PasswordChange =
  | { kind: 'changed'; sessionsEnded: number }
  | { kind: 'again'; problems: PasswordProblems }
  /** The current one was not right. How many seconds to wait before the next try. */
  | { kind: 'wrong'; waitSeconds: number }
  /** Nothing was looked at: too much was tried before. */
  | { kind: 'held'; because: Held; waitSeconds: number }
  /** Another tab was faster. */
  | { kind: 'changed-meanwhile' }
  /** She signs in with a county alone and has no name a password could go with. */
  | { kind: 'no-name' }

/** Throws BusyError. */
export async function changePassword(
  store: Store,
  acting: Acting & { sessionUid: string },
  typed: NewPassword,
  ports: PasswordPorts,
): Promise<PasswordChange> {
  const { accountId } = acting
  const [names, known, account] = await Promise.all([
    store.identifiers.ofAccount(accountId),
    store.credentials.findPassword(accountId),
    store.accounts.find(accountId),
  ])
  const [first] = names
  if (!first || !account) return { kind: 'no-name' }
  const words = [...names.map(({ value }) => value), account.profile.name?.value ?? '']
  const problems = await problemsOf(typed, known !== undefined, words, ports)
  if (Object.keys(problems).length > 0) return { kind: 'again', problems }
  if (known) {
    const refused = await prove(store, acting, typed.current, first.value, known.secret, ports)
    if (refused) return refused
  }
  const secret = await ports.passwords.hash(typed.password)
  return store.transaction(async (tables): Promise<PasswordChange> => {
    const member = await lockMember(tables, accountId)
    const kept = await keep(tables, acting, secret, known)
    if (!kept) return { kind: 'changed-meanwhile' }
    const sessionsEnded = await endWhatElseIsOpen(tables, acting)
    await tables.audit.record(
      acted(acting, known ? 'password.change' : 'password.set', { details: { sessionsEnded } }),
    )
    await tell(tables, member, acting, (her) =>
      ports.writeLetter({ kind: 'password-changed', ...her }),
    )
    return { kind: 'changed', sessionsEnded }
  })
}

async function problemsOf(
  { current, password, again }: NewPassword,
  known: boolean,
  words: string[],
  { judgePassword }: PasswordPorts,
): Promise<PasswordProblems> {
  const problems: PasswordProblems = {}
  if (known && !current) problems.current = 'account.password.current-empty'
  const wrong = await judgePassword(password, words)
  if (!password) problems.password = 'account.password.empty'
  else if (wrong) problems.password = wrong
  else if (known && password === current) problems.password = 'account.password.same'
  if (password && !problems.password && password !== again) {
    problems.again = 'account.password.differs'
  }
  return problems
}

/** Undefined when the current password is right. */
async function prove(
  store: Store,
  acting: Acting,
  current: string,
  name: string,
  secret: string,
  { limits, from, passwords }: PasswordPorts,
): Promise<PasswordChange | undefined> {
  const begun = await limits.begin({ ...from(name), name })
  if (begun.kind === 'wait') {
    return { kind: 'held', because: begun.because, waitSeconds: begun.seconds }
  }
  const right = await passwords.verify(secret, current).catch(async (error: unknown) => {
    await begun.undecided()
    throw error
  })
  if (right) {
    await begun.right()
    return undefined
  }
  await store.audit.record(acted(acting, 'password.change', { outcome: 'wrong' }))
  return { kind: 'wrong', waitSeconds: await begun.wrong() }
}

type Known = Awaited<ReturnType<Tables['credentials']['findPassword']>>

async function keep(
  { credentials }: Tables,
  { accountId, at }: Acting,
  secret: string,
  known: Known,
): Promise<boolean> {
  if (known) return credentials.changeSecret(known.id, known.secret, secret, at)
  if (await credentials.findPassword(accountId)) return false
  const row = { id: randomUUID(), accountId, type: 'password', secret } as const
  await credentials.create({ ...row, createdAt: at, updatedAt: at })
  return true
}
