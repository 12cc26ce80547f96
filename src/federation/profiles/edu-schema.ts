/** To be written. */
import type { Profile } from '../profile.ts'

export const eduSchema: Profile = () => ({ profile: {}, affiliations: [], openid2Ids: [] })
