/** To be written. */
import type { Profile } from '../profile.ts'

export const moeSchema: Profile = () => ({ profile: {}, affiliations: [], openid2Ids: [] })
