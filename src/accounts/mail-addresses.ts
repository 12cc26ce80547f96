/** Where a member reads what is written to her of her account. */
import { isMailAddress } from '#lib/mail.ts'
import type { AccountRow, IdentifierRow, RecoveryAddressRow, Tables } from '#store/store.ts'

/** Everywhere she reads mail: at the address she keeps for her account, at names of hers that are addresses. */
export async function addressesOf(
  { recoveryAddresses }: Pick<Tables, 'recoveryAddresses'>,
  account: AccountRow,
  names: IdentifierRow[],
): Promise<string[]> {
  return addressesAmong(account, names, await recoveryAddresses.find(account.id))
}

/** The same of what was read already. */
export function addressesAmong(
  { profile: { email } }: AccountRow,
  names: IdentifierRow[],
  kept: RecoveryAddressRow | undefined,
): string[] {
  const hers = names.filter(({ type, verifiedAt }) => type === 'email' && verifiedAt)
  const addresses = [kept?.value, ...hers.map(({ value }) => value)].filter(
    (one) => one !== undefined,
  )
  // A county may have verified one.
  if (addresses.length === 0 && email?.verified) addresses.push(email.value)
  return [...new Set(addresses)].filter(isMailAddress)
}
