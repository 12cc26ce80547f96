/** The console: one file per subject. */
import type Router from '@koa/router'
import type { State } from '../context.ts'
import type { House } from '../house.ts'
import { type ConsoleRoute, openConsole } from './admin/console.ts'
import { overviewRoutes } from './admin/overview.ts'

/** Every route of the console, with what it asks: a test holds each role against each of them. */
export function adminRoutes(router: Router<State>, house: House): readonly ConsoleRoute[] {
  const console = openConsole(router, house)
  overviewRoutes(console, house)
  return console.routes
}
