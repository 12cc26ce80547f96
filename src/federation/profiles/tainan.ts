/** To be written. */
import type { Profile } from '../profile.ts'

export const tainan: Profile = () => ({ profile: {}, affiliations: [], openid2Ids: [] })
