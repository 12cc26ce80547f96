/** A new password by a link from a mail: it ends whatever was begun with the old one. */

import { setPassword } from '#accounts/local.ts'
import { queueMail } from '#accounts/mail.ts'
import type { Passwords } from '#accounts/passwords.ts'
import { type RecoveryPorts, takeResetLink } from '#accounts/recovery.ts'
import { type Now, seconds } from '#lib/time.ts'
import type { Circumstances, Store } from '#store/store.ts'
import { endWhatElseIsOpen } from './ending.ts'

export type ResetPorts = Pick<RecoveryPorts, 'dataKey' | 'writeLetter'> & {
  now: Now
  passwords: Pick<Passwords, 'hash'>
}

/** False where the link is no longer good. Throws BusyError. */
export async function resetPassword(
  store: Pick<Store, 'transaction'>,
  { token, password }: { token: string; password: string },
  { language, where }: { language: string; where: Circumstances },
  { now, passwords, dataKey, writeLetter }: ResetPorts,
): Promise<boolean> {
  const secret = await passwords.hash(password)
  const at = seconds(now)
  return store.transaction(async (tables) => {
    const taken = await takeResetLink(tables, token, at, { dataKey })
    if (!taken) return false
    const { account, name, addresses } = taken
    await setPassword(tables, account.id, secret, at)
    const sessions = await endWhatElseIsOpen(tables, { accountId: account.id, at })
    await tables.audit.record({
      at,
      actor: account.id,
      action: 'password.reset',
      target: account.id,
      outcome: 'ok',
      ...where,
      details: { sessions },
    })
    for (const to of addresses) {
      const letter = writeLetter({
        kind: 'password-changed',
        to,
        language,
        params: { account: name },
        ...(account.profile.name ? { name: account.profile.name.value } : {}),
      })
      await queueMail(tables, letter, { at })
    }
    return true
  })
}
