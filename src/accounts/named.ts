/** Accounts with the names their people sign in with, for lists: two statements, however many there are. */
import type { AccountRow, IdentifierRow, Tables } from '#store/store.ts'

export type NamedAccount = { account: AccountRow; names: IdentifierRow[] }

/** By their ids, those of them that exist. */
export async function findNamed(
  { accounts, identifiers }: Pick<Tables, 'accounts' | 'identifiers'>,
  ids: string[],
): Promise<Map<string, NamedAccount>> {
  const wanted = [...new Set(ids)]
  const found = await accounts.findMany(wanted)
  const names = Map.groupBy(await identifiers.ofAccounts(wanted), ({ accountId }) => accountId)
  return new Map(
    found.map((account) => [account.id, { account, names: names.get(account.id) ?? [] }]),
  )
}
