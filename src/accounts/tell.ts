/** What a member is told by mail of what was done to her account. */
import type { Mail } from '#lib/mail.ts'
import type { AccountRow, Tables } from '#store/store.ts'
import { accountName } from './account-name.ts'
import { queueMail } from './mail.ts'
import { addressesOf } from './mail-addresses.ts'

/** What every letter to her has in common. */
export type ToMember = {
  to: string
  language: string
  name?: string
  params: { account: string }
}

/** Writes to her in the transaction that caused it; to nobody, where no address of hers is known. */
export async function tell(
  tables: Pick<Tables, 'identifiers' | 'recoveryAddresses' | 'outbox'>,
  account: AccountRow,
  { at, language }: { at: number; language: string },
  write: (her: ToMember) => Mail,
): Promise<void> {
  const names = await tables.identifiers.ofAccount(account.id)
  const name = account.profile.name?.value
  for (const to of await addressesOf(tables, account, names)) {
    const her: ToMember = { to, language, params: { account: accountName(account, names) } }
    await queueMail(tables, write(name ? { ...her, name } : her), { at })
  }
}
