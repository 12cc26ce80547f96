/** To be written. */
import type { Profile } from '../profile.ts'

export const districtSchema: Profile = () => ({ profile: {}, affiliations: [], openid2Ids: [] })
