/** What every vocabulary is: one upstream's claims in, our words for a person out. */
import type { UpstreamIdentity } from './connector.ts'

export type Claims = Record<string, unknown>

/** Verified claims, by where they came from. */
export type ProfileSources = {
  /** Empty where the protocol has none. */
  idToken: Claims
  userinfo?: Claims
  /** What claims calls gave, by claim name. */
  extra?: Claims
  /**
   * What the upstream signed of a person where there is no ID token: AX by type URI, SREG as `sreg.<field>`, SAML and
   * LDAP attributes by name. A value, or a list where several came.
   */
  attributes?: Claims
}

/** Pure and tolerant: a shape it does not know gives less, never an error and never a guess. */
export type Profile = (
  sources: ProfileSources,
) => Pick<UpstreamIdentity, 'profile' | 'affiliations' | 'openid2Ids' | 'unread'>
