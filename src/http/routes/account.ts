/** A member's own pages, one file each. */
import type Router from '@koa/router'
import type { State } from '../context.ts'
import type { House } from '../house.ts'
import { appRoutes } from './account/apps.ts'
import { ownClientRoutes } from './account/clients.ts'
import { closeRoutes } from './account/close.ts'
import { emailRoutes } from './account/email.ts'
import { exportRoutes } from './account/export.ts'
import { historyRoutes } from './account/history.ts'
import { identityRoutes } from './account/identities.ts'
import { openMemberRoutes } from './account/members.ts'
import { mergeRoutes } from './account/merge.ts'
import { overviewRoutes } from './account/overview.ts'
import { passwordRoutes } from './account/password.ts'
import { pictureRoutes } from './account/picture.ts'
import { profileRoutes } from './account/profile.ts'
import { secondFactorRoutes } from './account/second-factor.ts'
import { sessionRoutes } from './account/sessions.ts'

export function accountRoutes(router: Router<State>, house: House): void {
  const members = openMemberRoutes(router, house)
  overviewRoutes(members, house)
  profileRoutes(members, house)
  pictureRoutes(router, members, house)
  passwordRoutes(members, house)
  emailRoutes(router, members, house)
  secondFactorRoutes(members, house)
  identityRoutes(members, house)
  mergeRoutes(members, house)
  sessionRoutes(members, house)
  appRoutes(members, house)
  ownClientRoutes(members, house)
  historyRoutes(members, house)
  exportRoutes(members, house)
  closeRoutes(router, members, house)
}
