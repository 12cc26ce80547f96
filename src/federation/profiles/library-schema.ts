/** To be written. */
import type { Profile } from '../profile.ts'

export const librarySchema: Profile = () => ({ profile: {}, affiliations: [], openid2Ids: [] })
