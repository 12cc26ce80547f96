/** To be written. */
import type { ClaimMap } from '#config/connector.ts'
import type { Profile } from '../profile.ts'

export const openMapped =
  (_map: ClaimMap): Profile =>
  () => ({ profile: {}, affiliations: [], openid2Ids: [] })
