/** A form that was sent too late: looked at once more, and sent from here. */
import type { House } from '../../house.ts'
import type { Console } from './console.ts'
import { heldPath, openHeldForms } from './held-forms.ts'

/** They are the page's own by now. */
const marks = new Set(['form_token', 'staff'])

export function heldRoutes({ show, page, isHers }: Console, house: House): void {
  const { find } = openHeldForms(house)
  show(`${heldPath}/:id`, { permission: 'console.open' }, async (ctx, staff) => {
    const held = await find(ctx, ctx.params.id ?? '')
    // Sent long ago, in another browser, or by somebody else.
    if (!held || !isHers(ctx, staff, held.fields)) return house.answer.redirect(ctx, '/admin')
    const { action, page: back, fields } = held
    const typed = Object.entries(fields).filter(([name]) => !marks.has(name))
    page(ctx, staff, 'admin-held', { fields: typed, action, back })
  })
}
