/** What every vocabulary is: one upstream's claims in, our words for a person out. */
import type { UpstreamIdentity } from './connector.ts'

export type Claims = Record<string, unknown>

/** Verified claims, by where they came from. `extra` holds what a claims call gave, by claim name. */
export type ProfileSources = { idToken: Claims; userinfo?: Claims; extra?: Claims }

/** Pure and tolerant: a shape it does not know gives less, never an error and never a guess. */
export type Profile = (
  sources: ProfileSources,
) => Pick<UpstreamIdentity, 'profile' | 'affiliations' | 'openid2Ids'>
