/** The account somebody who is invited makes for herself: its name, hers, and a password. */
import { signInName } from '#accounts/local.ts'
import { checkAccount } from '#enrolment/fields/account.ts'
import type { Message } from '#lib/messages.ts'
import type { IdentifierType, StaffInvitationRow } from '#store/store.ts'
import type { Context } from '../context.ts'
import type { House } from '../house.ts'
import type { Fields } from '../input.ts'

export type Newcomer = { account: string; name: string; secret: string }

const longest = 100

/** As where people join. */
const accountField = {
  id: 'account',
  type: 'account',
  label: { 'zh-TW': '', en: '' },
  required: true,
  lock: 'never',
  min_length: 3,
  max_length: 32,
  reserved: [],
} as const satisfies Parameters<typeof checkAccount>[0]

/** A hash is work: it is made when all else is in order. */
export async function readNewcomer(
  { store, config, limits, passwords, judgePassword }: House,
  ctx: Context,
  { email }: StaffInvitationRow,
  { account = '', name = '', password = '' }: Fields,
): Promise<{ newcomer: Newcomer } | { problems: { field: string; problem: Message }[] }> {
  const { domain } = config.site.local_accounts
  const problems: { field: string; problem: Message }[] = []
  const complain = (field: string, problem: Message) => problems.push({ field, problem })
  const isTaken = async (type: IdentifierType, value: string) =>
    (await store.identifiers.find(type, value)) !== undefined
  const counting = { isTaken, counters: limits.counters }
  const checked = account.trim()
    ? await checkAccount({ ...accountField, domain }, account, counting, limits.sourceOf(ctx))
    : { kind: 'not-allowed', message: 'staff-invitation.account-empty' }
  if (checked.kind !== 'free') complain('account', checked.message)
  const fullName = name.normalize('NFC').replaceAll(/\s+/g, ' ').trim()
  if (!fullName) complain('name', 'staff-invitation.name-empty')
  else if (fullName.length > longest || /\p{Cc}/u.test(fullName))
    complain('name', 'staff-invitation.name-wrong')
  const full = signInName(account, domain)
  const weak = await judgePassword(password, [full, fullName, email])
  if (!password) complain('password', 'staff-invitation.password-empty')
  else if (weak) complain('password', weak)
  if (problems.length > 0) return { problems }
  return { newcomer: { account: full, name: fullName, secret: await passwords.hash(password) } }
}
