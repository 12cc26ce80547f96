/** The console: one file per subject. */
import type Router from '@koa/router'
import type { State } from '../context.ts'
import type { House } from '../house.ts'
import { auditRoutes } from './admin/audit.ts'
import { clientFileRoutes } from './admin/client-files.ts'
import { clientSnippetRoutes } from './admin/client-snippets.ts'
import { clientTryRoutes } from './admin/client-try.ts'
import { clientRoutes } from './admin/clients.ts'
import { type ConsoleRoute, openConsole } from './admin/console.ts'
import { heldRoutes } from './admin/held.ts'
import { importRoutes } from './admin/imports.ts'
import { keyRoutes } from './admin/keys.ts'
import { outboxRoutes } from './admin/outbox.ts'
import { overviewRoutes } from './admin/overview.ts'
import { peopleRoutes } from './admin/people.ts'
import { registrationRoutes } from './admin/registration.ts'
import { requestRoutes } from './admin/requests.ts'
import { staffRoutes } from './admin/staff.ts'
import { statisticsRoutes } from './admin/statistics.ts'
import { systemRoutes } from './admin/system.ts'
import { upstreamAdminRoutes } from './admin/upstreams.ts'

/** Every route of the console, with what it asks: a test holds each role against each of them. */
export function adminRoutes(router: Router<State>, house: House): readonly ConsoleRoute[] {
  const console = openConsole(router, house)
  overviewRoutes(console, house)
  heldRoutes(console, house)
  // Before the pages of one app: `try` and `import` are no app's id.
  clientTryRoutes(console, house)
  clientFileRoutes(console, house)
  clientRoutes(console, house)
  clientSnippetRoutes(console, house)
  requestRoutes(console, house)
  registrationRoutes(console, house)
  peopleRoutes(console, house)
  importRoutes(console, house)
  upstreamAdminRoutes(console, house)
  keyRoutes(console, house)
  outboxRoutes(console, house)
  auditRoutes(console, house)
  statisticsRoutes(console, house)
  systemRoutes(console, house)
  staffRoutes(console, house)
  return console.routes
}
