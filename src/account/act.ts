/** What a member does for herself: who, when, from where, and what it leaves in the audit trail. */
import type { AccountRow, AuditEvent, Circumstances, Tables } from '#store/store.ts'

export type Acting = {
  accountId: string
  /** Seconds since 1970. */
  at: number
  /** Of her pages, and so of what is written to her. */
  language: string
  where: Circumstances
}

/** She did it to her own account, unless another target is named. */
export const acted = (
  { accountId, at, where }: Omit<Acting, 'language'>,
  action: string,
  more: Pick<Partial<AuditEvent>, 'target' | 'outcome' | 'details'> = {},
): AuditEvent => ({
  at,
  actor: accountId,
  action,
  target: accountId,
  outcome: 'ok',
  ...where,
  ...more,
})

/** Thrown inside a transaction for an account that is no longer active: nothing of it is kept. */
export class NotActiveError extends Error {
  override name = 'NotActiveError'
}

/** Her account, held until the transaction ends. Throws NotActiveError: another tab may have closed it just now. */
export async function lockMember(
  { accounts }: Pick<Tables, 'accounts'>,
  accountId: string,
): Promise<AccountRow> {
  const account = await accounts.lock(accountId)
  if (account?.status !== 'active') throw new NotActiveError('account is not active')
  return account
}
