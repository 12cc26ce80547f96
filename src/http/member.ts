/** Who is signed in to this browser, for pages that belong to no request of an app. */
import type { Context } from './context.ts'
import type { House } from './house.ts'

/** The active account of this browser's session. */
export async function findMember({ provider, store }: House, ctx: Context) {
  const session = await provider.Session.get(ctx as never)
  const account = session.accountId ? await store.accounts.find(session.accountId) : undefined
  return account?.status === 'active' ? account : undefined
}
