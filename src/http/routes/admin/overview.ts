/** Where staff arrive: what wants doing. */
import type { House } from '../../house.ts'
import type { Console } from './console.ts'

export function overviewRoutes({ show, page }: Console, _house: House): void {
  show('/admin', { permission: 'console.open' }, (ctx, staff) =>
    page(ctx, staff, 'admin', { first: [] }),
  )
}
