/** To be written. */
import type { Profile } from '../profile.ts'

export const taipei: Profile = () => ({ profile: {}, affiliations: [], openid2Ids: [] })
