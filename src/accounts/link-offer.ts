/** Somebody new who brings an address that is an account's here: it may be her own, which she has yet to show. */
import type { ConnectorConfig } from '#config/connector.ts'
import type { UpstreamIdentity } from '#federation/connector.ts'
import { isMailAddress } from '#lib/mail.ts'
import type { Tables } from '#store/store.ts'
import { isGuarded } from './guarded.ts'
import { normalName } from './local.ts'

export type Linking = {
  policy: ConnectorConfig['linking']
  /** Of accounts kept here: its addresses are given out by us. */
  domain?: string | undefined
}

export type LinkOffer = {
  /** Whose address it is. */
  accountId: string
  address: string
  /**
   * What shows that the account is hers: signing in to it, or her word, where both sides verified the address and nothing
   * else guards it.
   */
  proof: 'sign-in' | 'word'
}

/** The account she may link herself to. An address alone never does: whoever runs an upstream can claim any. */
export async function findLinkOffer(
  tables: Pick<Tables, 'identifiers' | 'secondFactors' | 'staffRoles'>,
  { profile: { email = '', emailVerified = false } }: UpstreamIdentity,
  { policy, domain }: Linking,
): Promise<LinkOffer | undefined> {
  const address = normalName(email)
  if (policy === 'never' || !isMailAddress(address)) return undefined
  const holder = await tables.identifiers.findHolder(address, nameWithin(address, domain))
  if (!holder) return undefined
  const verified = emailVerified && holder.verifiedAt !== undefined && holder.value === address
  const { accountId } = holder
  const alike = policy === 'verified-email' && verified && isPlain(email)
  const word = alike && !(await isGuarded(tables, accountId))
  return { accountId, address, proof: word ? 'word' : 'sign-in' }
}

const nameWithin = (address: string, domain: string | undefined) =>
  domain && address.endsWith(`@${domain}`) ? address.slice(0, -domain.length - 1) : undefined

/** Other letters may look alike once they are compared as people mean them, and be another's mailbox. */
const isPlain = (email: string) => /^[\x21-\x7E]+$/.test(email.trim())
