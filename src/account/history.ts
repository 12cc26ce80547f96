/** A member's sign-ins, a page at a time. */
import { region } from '#lib/networks.ts'
import type { AuditPlace, Store } from '#store/store.ts'

export type SignIn = {
  at: number
  way: 'password' | 'upstream'
  connector?: string
  clientId: string
  /** Where from, without who: a network, not an address. */
  network: string
  /** `ok`, or what kept her out. */
  outcome: string
}

export type SignIns = { list: SignIn[] /** Leads to the next page. */; next?: string }

/** Newest first. A cursor that is none of ours begins at the beginning. */
export async function listSignIns(
  { auditReads }: Pick<Store, 'auditReads'>,
  accountId: string,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<SignIns> {
  // One more than is shown says whether there is another page.
  const rows = await auditReads.signIns(accountId, readCursor(cursor), limit + 1)
  const list = rows.slice(0, limit).map(({ at, target, address, outcome, details }) => {
    const one: SignIn = {
      at,
      way: details.way === 'upstream' ? 'upstream' : 'password',
      clientId: target.replace(/^client:/, ''),
      network: region(address),
      outcome,
    }
    const { connector: by } = details
    if (typeof by === 'string') one.connector = by
    return one
  })
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return last ? { list, next: writeCursor(last) } : { list }
}

/** A place in her own list: another person's sign-ins are not found by any cursor. */
const writeCursor = ({ at, chain, seq }: AuditPlace) => `${at}.${chain}.${seq}`

function readCursor(cursor = ''): AuditPlace | undefined {
  const [, at, chain = '', seq] = /^(\d{1,12})\.([\w-]{1,43})\.(\d{1,15})$/.exec(cursor) ?? []
  return at === undefined ? undefined : { at: Number(at), chain, seq: Number(seq) }
}
