/** What an app may learn of a person, by scope. */
import type { AccountClaims } from 'oidc-provider'
import { affiliationsToward } from '#accounts/affiliations.ts'
import type { SchoolYear } from '#accounts/school-year.ts'
import type { AccountRow, Store } from '#store/store.ts'
import { eduinfo } from './eduinfo.ts'

/** Claims per scope (OpenID Connect Core §5.4; eduinfo and openid2 as the Ministry's provider has them). */
export const scopeClaims = {
  // How and when she proved herself is the provider's to say, in every ID token.
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: [
    'name',
    'given_name',
    'family_name',
    'nickname',
    'preferred_username',
    'gender',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  eduinfo: ['eduinfo'],
  openid2: ['openid2_id'],
} satisfies Record<string, string[]>

type Wanted = {
  /** The `sub` this client knows the person by. */
  sub: string
  clientId: string
  year: SchoolYear
  /** True if the claim may be released: reads that nobody asked for are not made. */
  wants: (claim: string) => boolean
}

/** The claims of one account towards one client. Attributes nobody vouched for are left out. */
export async function accountClaims(
  store: Store,
  account: AccountRow,
  { sub, clientId, wants, year }: Wanted,
): Promise<AccountClaims> {
  const claims: AccountClaims = { sub: account.id, updated_at: account.updatedAt }
  for (const [claim, { value, verified }] of Object.entries(account.profile)) {
    claims[claim] = value
    if (claim === 'email' || claim === 'phone_number')
      claims[`${claim}_verified`] = verified === true
  }
  if (wants('eduinfo')) {
    const affiliations = await affiliationsToward(store, account.id, clientId, year)
    claims.eduinfo = eduinfo(sub, affiliations, 'v1')
  }
  if (wants('openid2_id')) {
    const ids = (await store.identities.ofAccount(account.id)).flatMap((one) => one.openid2Ids)
    if (ids.length > 0) claims.openid2_id = [...new Set(ids)]
  }
  return claims
}
