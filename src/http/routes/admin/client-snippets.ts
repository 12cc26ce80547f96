/** Code to copy into an app, filled with its own settings. */

import type { Settings } from '#admin/clients/schema.ts'
import { getClient } from '#admin/operations/clients.ts'
import { snippetAppOf, snippetsFor } from '#admin/snippets.ts'
import type { House } from '../../house.ts'
import { clientsPath } from './client-page.ts'
import type { Console } from './console.ts'
import { valueIn } from './console-problems.ts'

export function clientSnippetRoutes({ show, page }: Console, { config }: House): void {
  show(`${clientsPath}/:id/snippets`, { permission: 'clients.read' }, async (ctx, staff) => {
    const found = await staff.perform(getClient, { id: ctx.params.id ?? '' })
    const { id, name, settings } = valueIn(found, clientsPath)
    const app = snippetAppOf(config.issuer, config.site.resources, {
      id,
      settings: settings as Settings,
    })
    const mayWrite = staff.may('clients.write')
    page(ctx, staff, 'admin-client-snippets', {
      client: { id, name, mayWrite },
      snippets: snippetsFor(app),
    })
  })
}
