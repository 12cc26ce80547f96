/** To be written. */
import type { Profile } from '../profile.ts'

export const sregSchema: Profile = () => ({ profile: {}, affiliations: [], openid2Ids: [] })
