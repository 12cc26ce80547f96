/** A form that was sent too late: looked at once more, and sent from here. */
import type { House } from '../../house.ts'
import type { Console } from './console.ts'
import { heldPath, openHeldForms, typedIn } from './held-forms.ts'

export function heldRoutes({ show, page, done, isHers }: Console, house: House): void {
  const { find } = openHeldForms(house)
  show(`${heldPath}/:id`, { permission: 'console.open' }, async (ctx, staff) => {
    const { id = '' } = ctx.params
    const held = await find(ctx, id)
    // Sent meanwhile or long ago, in another browser, or by somebody else.
    if (!held || !isHers(ctx, staff, held.fields)) return done(ctx, '/admin', 'held-gone')
    const { action, page: back, fields } = held
    page(ctx, staff, 'admin-held', { held: id, fields: typedIn(fields), action, back })
  })
}
