/** Staff make accounts, and say of a person what they vouch for themselves. */
import { randomUUID } from 'node:crypto'
import { putLocalAccount } from '#accounts/local.ts'
import { indexIn } from '#accounts/people-keys.ts'
import { type ProfileField, type Read, readField, unverified } from '#accounts/profile-fields.ts'
import { mailReset } from '#accounts/recovery.ts'
import { randomToken } from '#lib/crypto.ts'
import { isMailAddress } from '#lib/mail.ts'
import { maskMail } from '#lib/mask.ts'
import type { Message } from '#lib/messages.ts'
import { type Acting, done, type FieldProblem, type Outcome, rejected } from '../operation.ts'
import type { AdminPorts } from '../ports.ts'
import { decided, lettersLanguage, uponPerson } from './acts.ts'
import { versionOf } from './person.ts'

type NewPerson = {
  account: string
  name: string
  recovery?: string | undefined
  password?: string | undefined
}
type Created = { sub: string; password?: string | undefined; to?: string | undefined }

/** She may sign in at once: with the password given here or, told only now, one made here; or by a link she is sent. */
export async function createPerson(
  ports: AdminPorts,
  by: Acting,
  { account, name, recovery = '', password = '' }: NewPerson,
): Promise<Outcome<Created>> {
  // Somebody new is of no county: whoever is narrowed to one could not even see her.
  if (by.reach.kind !== 'all') return { kind: 'refused', why: 'people-everywhere' }
  const { store } = ports
  const spelt = readField('name', name, '')
  const problems = await problemsOfNew(ports, { account, spelt, recovery, password })
  if (problems.length > 0 || 'problem' in spelt) return { kind: 'rejected', problems }
  const given = password || randomToken().slice(0, 20)
  const secret = await ports.passwords.hash(given)
  const accountId = randomUUID()
  const { actor, where, at } = by
  const taken = new Error('name is taken')
  try {
    return await store.transaction(async (tables): Promise<Outcome<Created>> => {
      const wanted = { account, name: spelt.value, by: 'staff', accountId, secret }
      if (!(await putLocalAccount(tables, wanted, at))) throw taken
      await indexIn(tables, [accountId])
      await tables.audit.record(decided(by, 'account.create', accountId))
      if (password) return done({ sub: accountId })
      if (!recovery) return done({ sub: accountId, password: given })
      await tables.recoveryAddresses.put({ accountId, value: recovery, createdAt: at })
      const asked = { actor, where, at, language: lettersLanguage }
      const to = await mailReset(tables, accountId, asked, ports.recovery)
      return done({ sub: accountId, ...(to ? { to: maskMail(to) } : {}) })
    })
  } catch (error) {
    if (error === taken) return rejected('account', 'is taken', 'people-taken')
    throw error
  }
}

async function problemsOfNew(
  { judgePassword }: Pick<AdminPorts, 'judgePassword'>,
  {
    account,
    spelt,
    recovery,
    password,
  }: { account: string; spelt: Read; recovery: string; password: string },
): Promise<FieldProblem[]> {
  const about = [account, ...('value' in spelt ? [spelt.value] : [])]
  const bad = password === '' ? undefined : await judgePassword(password, about)
  return [
    ...('problem' in spelt ? [problemAt('name', spelt.problem)] : []),
    ...(recovery && !isMailAddress(recovery)
      ? [{ field: 'recovery', message: 'must be one e-mail address', code: 'people-address' }]
      : []),
    ...(bad ? [problemAt('password', bad)] : []),
  ]
}

/** Our words of a problem for each message a member would read. */
const codes: Record<string, [code: string, message: string]> = {
  'account.fields.name.empty': ['empty', 'must not be empty'],
  'account.profile.too-long': ['too-long', 'is too long'],
  'account.profile.characters': ['people-characters', 'has characters that cannot be seen, or < >'],
  'account.fields.phone_number.wrong': ['people-phone', 'must be a telephone number of Taiwan'],
  'account.fields.gender.wrong': ['people-gender', 'must be female, male or other'],
  'password.too-short': ['people-password-short', 'must have at least 10 characters'],
  'password.too-long': ['people-password-long', 'must have at most 128 characters'],
  'password.control': ['people-password-control', 'must not have control characters'],
  'password.about-you': ['people-password-about', 'must not be about the person'],
  'password.common': ['people-password-common', 'is one of those that are tried first'],
  'password.weak': ['people-password-common', 'is too easy to guess'],
}

function problemAt(field: string, problem: Message): FieldProblem {
  const { key, params = {} } = typeof problem === 'string' ? { key: problem } : problem
  const [code, message] = codes[key] ?? ['invalid', 'is not in order']
  return { field, message, code, params }
}

/** Fields of the API by the claims they are kept as. */
export const changeable = {
  name: 'name',
  nickname: 'nickname',
  title: 'title',
  phoneNumber: 'phone_number',
  gender: 'gender',
} as const satisfies Record<string, ProfileField>
export type ChangeableField = keyof typeof changeable

type Change = { sub: string; version?: string | undefined } & {
  [F in ChangeableField]?: string | undefined
}

/** What staff say is theirs from then on: no upstream's word replaces it. */
export const updatePerson = (ports: AdminPorts, by: Acting, { sub, version, ...said }: Change) =>
  uponPerson(ports, by, sub, async (tables, account) => {
    if (version !== undefined && version !== versionOf(ports.keys.data, account)) {
      return { kind: 'conflict', why: 'the profile was changed since' }
    }
    const profile = { ...account.profile }
    const problems: FieldProblem[] = []
    const changed: string[] = []
    for (const [field, claim] of Object.entries(changeable)) {
      const text = said[field as ChangeableField]
      const before = profile[claim]?.value ?? ''
      if (text === undefined) continue
      const read = readField(claim, text, before)
      if ('problem' in read) problems.push(problemAt(field, read.problem))
      else if (read.value !== before) {
        changed.push(claim)
        if (read.value === '') delete profile[claim]
        else profile[claim] = { value: read.value, by: 'staff', at: by.at, ...unverified(claim) }
      }
    }
    if (problems.length > 0) return { kind: 'rejected', problems }
    if (changed.length > 0) {
      await tables.accounts.setProfile(sub, profile, by.at)
      await indexIn(tables, [sub])
      await tables.audit.record(decided(by, 'profile.change', sub, { changed }))
    }
    return done({ changed })
  })
